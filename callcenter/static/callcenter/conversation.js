/* The page of one conversation: new messages come by themselves, `/` opens ready answers, files can be
   dropped or pasted, drafts are kept, keys work. */
'use strict';
{
    /* Between two looks: while the stream tells of changes it is only for what the stream does not know of. */
    const SECONDS = 1.2;
    const SECONDS_WITH_STREAM = 5;
    const SECONDS_TO_STREAM = 30;
    const page = document.querySelector('[data-conversation-url]');
    const scroll = page.querySelector('.thread-scroll');
    const thread = page.querySelector('[data-thread]');
    const note = page.querySelector('.live-note');
    const composer = document.getElementById('composer');
    const box = document.getElementById('composer-text');

    function say(text) {
        note.textContent = text;
        note.hidden = !text;
    }

    /* The composer is always in sight, however high the header and its messages are. */
    function fit() {
        const above = page.getBoundingClientRect().top + scrollY + 20;
        page.style.setProperty('--above', `${Math.round(above)}px`);
    }
    fit();
    addEventListener('resize', fit);

    const isAtEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
    const toEnd = () => { scroll.scrollTop = scroll.scrollHeight; };

    function showThread(fresh) {
        const wasAtEnd = isAtEnd();
        let added = 0;
        for (const item of fresh.querySelectorAll(':scope > li')) {
            const shown = document.getElementById(item.id);
            if (!shown) {
                document.getElementById('m0')?.remove();
                thread.append(item.cloneNode(true));
                added += 1;
            } else if (shown.innerHTML !== item.innerHTML && !shown.contains(document.activeElement)) {
                shown.innerHTML = item.innerHTML;
            }
        }
        if (added && wasAtEnd) {
            toEnd();
        } else if (added) {
            say(note.dataset.new);
        }
    }

    function show(html) {
        const news = document.createElement('template');
        news.innerHTML = html;
        const root = news.content.querySelector('[data-seen]');
        if (page.dataset.past === undefined) {
            showThread(root.querySelector('[data-thread]'));
        }
        root.querySelectorAll('[data-live]').forEach(fresh => {
            const shown = page.querySelector(`[data-live="${fresh.dataset.live}"]`);
            if (shown && !shown.contains(document.activeElement) && !sameBut(shown, fresh)) {
                shown.innerHTML = fresh.innerHTML;
            }
        });
        /* What is on the page has been seen: sending is held up only by what is not. */
        document.querySelectorAll('input[name=seen]').forEach(field => { field.value = root.dataset.seen; });
        document.querySelectorAll('input[name=holder]').forEach(field => { field.value = root.dataset.holder; });
        document.querySelectorAll('[data-needs-open]').forEach(button => { button.disabled = !root.dataset.open; });
    }

    /* Each rendering has another CSRF token; that alone is no news. */
    function sameBut(shown, fresh) {
        const plain = element => element.innerHTML.replace(/name="csrfmiddlewaretoken" value="[^"]*"/g, '');
        return plain(shown) === plain(fresh);
    }

    let etag = `"${page.dataset.version}"`;
    let looking = null;
    let lookAgain = false;
    /* One look at a time; who asks during one gets the next one's answer. */
    function look() {
        lookAgain = looking !== null;
        looking ??= lookNow().finally(() => {
            looking = null;
            if (lookAgain) {
                lookAgain = false;
                look().catch(() => say(note.dataset.offline));
            }
        });
        return looking;
    }

    async function lookNow() {
        const answer = await fetch(page.dataset.conversationUrl, {
            headers: {'If-None-Match': etag},
            redirect: 'manual',
            cache: 'no-store',
        });
        if (answer.status === 200) {
            etag = answer.headers.get('ETag') ?? '';
            show(await answer.text());
        }
        if (note.textContent !== note.dataset.new) {
            say('');
        }
        return answer.status === 200 || answer.status === 304;
    }

    /* Whatever happens to the conversation is told by the stream, a moment later; the look brings it. */
    let stream = null;
    let isStreaming = false;
    function listen() {
        if (!page.dataset.stream || stream || document.hidden) {
            return;
        }
        const opened = new EventSource(page.dataset.stream);
        stream = opened;
        opened.addEventListener('open', () => { isStreaming = true; });
        opened.addEventListener('mudou', () => { look().catch(() => say(note.dataset.offline)); });
        opened.addEventListener('error', () => {
            isStreaming = false;
            /* Refused, not cut off: the browser won't try again by itself. */
            if (opened.readyState === EventSource.CLOSED && stream === opened) {
                stream = null;
                setTimeout(listen, SECONDS_TO_STREAM * 1000);
            }
        });
    }

    /* A browser keeps few connections to a host: a page that nobody sees takes up none. */
    document.addEventListener('visibilitychange', () => {
        if (document.hidden) {
            stream?.close();
            stream = null;
            isStreaming = false;
        } else {
            listen();
        }
    });

    function poll() {
        setTimeout(async () => {
            if (document.hidden) {
                poll();
                return;
            }
            try {
                if (await look()) {
                    poll();
                } else {
                    say(note.dataset.ended);
                }
            } catch {
                say(note.dataset.offline);
                poll();
            }
        }, (isStreaming ? SECONDS_WITH_STREAM : SECONDS) * 1000);
    }

    /* The composer: ready answers, the draft that survives a reload, Ctrl + Enter. */
    function watchComposer() {
        const key = `draft:${composer.dataset.draftKey}`;
        const menu = document.getElementById('canned-menu');
        const ready = Array.from(composer.querySelectorAll('[data-canned]'));
        let chosen = 0;

        function insert(button) {
            const text = button.dataset.text;
            box.value = box.value.startsWith('/') || !box.value.trim() ? text : `${box.value.trimEnd()}\n${text}`;
            hideMenu();
            keep();
            box.focus();
        }

        function keep() {
            try {
                sessionStorage.setItem(key, box.value);
            } catch {
                /* Without storage there is no draft to keep. */
            }
        }

        function hideMenu() {
            if (menu) {
                menu.hidden = true;
                box.removeAttribute('aria-activedescendant');
            }
        }

        function fold(text) {
            return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
        }

        function fitting() {
            const found = /^\/([^\n]*)$/.exec(box.value);
            if (!found) {
                return [];
            }
            const asked = fold(found[1].trim());
            return ready.filter(one => one.dataset.shortcut.startsWith(asked)
                || fold(`${one.dataset.title} ${one.dataset.text}`).includes(asked)).slice(0, 8);
        }

        function showMenu() {
            const found = fitting();
            if (!menu || !found.length) {
                hideMenu();
                return;
            }
            chosen = Math.min(chosen, found.length - 1);
            menu.replaceChildren(...found.map((one, at) => {
                const item = document.createElement('li');
                item.id = `canned-${at}`;
                item.setAttribute('role', 'option');
                item.setAttribute('aria-selected', at === chosen ? 'true' : 'false');
                const title = document.createElement('strong');
                title.textContent = `${one.dataset.shortcut ? `/${one.dataset.shortcut} ` : ''}${one.dataset.title} `;
                const text = document.createElement('span');
                text.className = 'quiet';
                text.textContent = one.dataset.text.slice(0, 90);
                item.append(title, text);
                item.addEventListener('mousedown', event => {
                    event.preventDefault();
                    insert(one);
                });
                return item;
            }));
            menu.hidden = false;
            box.setAttribute('aria-activedescendant', `canned-${chosen}`);
        }

        ready.forEach(one => one.addEventListener('click', event => {
            event.preventDefault();
            one.closest('details').open = false;
            insert(one);
        }));
        box.addEventListener('input', () => {
            chosen = 0;
            showMenu();
            keep();
        });
        box.addEventListener('blur', hideMenu);
        box.addEventListener('keydown', event => {
            if (menu && !menu.hidden) {
                const found = fitting();
                if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
                    event.preventDefault();
                    chosen = (chosen + (event.key === 'ArrowDown' ? 1 : found.length - 1)) % found.length;
                    showMenu();
                    return;
                }
                if ((event.key === 'Enter' && !event.ctrlKey) || event.key === 'Tab') {
                    event.preventDefault();
                    insert(found[chosen]);
                    return;
                }
                if (event.key === 'Escape') {
                    hideMenu();
                    return;
                }
            }
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
                event.preventDefault();
                composer.requestSubmit(composer.querySelector('button[value=reply]'));
            }
        });
        composer.addEventListener('submit', event => {
            /* A second press while the first is on its way would say everything twice. */
            if (composer.dataset.isSending) {
                event.preventDefault();
                return;
            }
            composer.dataset.isSending = 'yes';
            try {
                sessionStorage.removeItem(key);
            } catch {
                /* Nothing was kept. */
            }
        });
        if (!box.value) {
            try {
                box.value = sessionStorage.getItem(key) ?? '';
            } catch {
                /* Nothing was kept. */
            }
        }
    }

    /* Files: chosen, dropped or pasted; each can be taken away again, and what would be refused is said at once. */
    function watchFiles(input) {
        const list = document.getElementById('file-list');
        const error = document.getElementById('file-error');
        const kinds = input.accept.split(',');
        let files = [];

        const sizeOf = size => size < 1048576 ? `${Math.max(1, Math.round(size / 1024))} KB`
            : `${(size / 1048576).toLocaleString(document.documentElement.lang, {maximumFractionDigits: 1})} MB`;

        function objection(file) {
            if (!kinds.includes(`.${file.name.split('.').pop().toLowerCase()}`)) {
                return error.dataset.kind;
            }
            if (!file.size) {
                return error.dataset.empty;
            }
            return file.size > Number(input.dataset.limit) ? error.dataset.large : '';
        }

        function show() {
            const kept = new DataTransfer();
            files.forEach(file => kept.items.add(file));
            input.files = kept.files;
            list.hidden = !files.length;
            list.replaceChildren(...files.map(file => {
                const item = document.createElement('li');
                const size = document.createElement('span');
                size.className = 'quiet';
                size.textContent = ` ${sizeOf(file.size)} `;
                const remove = document.createElement('button');
                remove.type = 'button';
                remove.className = 'button button--small';
                remove.textContent = list.dataset.remove;
                remove.setAttribute('aria-label', `${list.dataset.remove} ${file.name}`);
                remove.addEventListener('click', () => {
                    files = files.filter(one => one !== file);
                    error.hidden = true;
                    show();
                    input.focus();
                });
                item.append(file.name, size, remove);
                return item;
            }));
        }

        function add(chosen) {
            const refused = [];
            for (const file of chosen) {
                const why = objection(file);
                if (why) {
                    refused.push(`${file.name}: ${why}`);
                } else if (files.length >= Number(input.dataset.most)) {
                    refused.push(error.dataset.many);
                    break;
                } else {
                    files.push(file);
                }
            }
            error.textContent = refused.join(' ');
            error.hidden = !refused.length;
            show();
        }

        input.addEventListener('change', () => add(Array.from(input.files)));
        box.addEventListener('paste', event => {
            const pasted = Array.from(event.clipboardData?.files ?? []);
            if (pasted.length) {
                event.preventDefault();
                add(pasted);
            }
        });
        composer.addEventListener('dragover', event => {
            if (event.dataTransfer?.types.includes('Files')) {
                event.preventDefault();
                composer.classList.add('is-over');
            }
        });
        composer.addEventListener('dragleave', () => composer.classList.remove('is-over'));
        composer.addEventListener('drop', event => {
            composer.classList.remove('is-over');
            if (event.dataTransfer?.files.length) {
                event.preventDefault();
                add(Array.from(event.dataTransfer.files));
            }
        });
    }

    /* Keys outside of fields: r writes, a takes, t opens the transfer, e goes to the closing button. */
    document.addEventListener('keydown', event => {
        const inField = event.target.closest('input, textarea, select, [contenteditable]');
        if (event.key === 'Escape' && inField === box) {
            scroll.focus();
        }
        if (inField || event.ctrlKey || event.metaKey || event.altKey) {
            return;
        }
        if (event.key === 'r' && box) {
            event.preventDefault();
            box.focus();
            return;
        }
        const target = ['a', 'e', 't'].includes(event.key) ? page.querySelector(`[data-key="${event.key}"]`) : null;
        if (target) {
            event.preventDefault();
            if (event.key === 'a') {
                target.click();
            } else if (event.key === 't') {
                target.closest('details').open = true;
                document.getElementById('to').focus();
            } else {
                target.focus();
            }
        }
    });

    scroll.addEventListener('scroll', () => {
        if (note.textContent === note.dataset.new && isAtEnd()) {
            say('');
        }
    });
    if (composer) {
        watchComposer();
        watchFiles(document.getElementById('composer-files'));
    }
    /* The page from the browser's memory may send again. */
    addEventListener('pageshow', () => { delete composer?.dataset.isSending; });
    const target = location.hash.startsWith('#m') ? document.getElementById(location.hash.slice(1)) : null;
    if (target) {
        target.scrollIntoView({block: 'center'});
    } else {
        toEnd();
    }
    if (composer && box.dataset.typed !== undefined) {
        box.focus();
    }
    listen();
    poll();
}
