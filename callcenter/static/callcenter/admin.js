/* What the admin's pages do by themselves: close menus, label the cards of narrow lists, and show news as it comes. */
'use strict';
{
    const PAGE_SECONDS = 3;
    const LIST_SECONDS = 5;

    /* Menus close on a click elsewhere and on Escape, which gives the focus back. */
    function watchMenus() {
        const openMenus = () => document.querySelectorAll('#header details[open], #changelist-filter details[open]');
        document.addEventListener('click', event => {
            openMenus().forEach(menu => {
                if (!menu.contains(event.target)) {
                    menu.open = false;
                }
            });
        });
        document.addEventListener('keydown', event => {
            if (event.key === 'Escape') {
                openMenus().forEach(menu => {
                    menu.open = false;
                    menu.querySelector('summary').focus();
                });
            }
        });
    }

    /* On a phone each row is a card; its cells are told apart by their column's name. */
    function labelCells(table) {
        const names = [];
        for (const cell of table.tHead.rows[0].cells) {
            names.push(...Array(cell.colSpan).fill((cell.querySelector('.text') ?? cell).textContent.trim()));
        }
        for (const row of Array.from(table.tBodies).flatMap(body => Array.from(body.rows))) {
            Array.from(row.cells).forEach((cell, at) => {
                cell.dataset.label = names[at];
            });
        }
    }

    function say(note, text) {
        note.textContent = text;
        note.hidden = !text;
    }

    /* Calls `look` every so often while the page is in sight; stops when it answers false. */
    function poll(seconds, note, look) {
        const again = () => setTimeout(async () => {
            if (document.hidden) {
                again();
                return;
            }
            try {
                if (await look()) {
                    again();
                } else {
                    say(note, note.dataset.ended);
                }
            } catch {
                say(note, note.dataset.offline);
                again();
            }
        }, seconds * 1000);
        again();
    }

    /* The page of one request: replaces what changed, and never what somebody is using. */
    function watchRequest(section) {
        const note = section.querySelector('.live-note');
        let etag = '';

        function show(html) {
            const news = document.createElement('template');
            news.innerHTML = html;
            news.content.querySelectorAll('[data-live]').forEach(fresh => {
                const shown = document.querySelector(`#content [data-live="${fresh.dataset.live}"]`);
                if (shown && shown.innerHTML !== fresh.innerHTML && !shown.contains(document.activeElement)) {
                    shown.innerHTML = fresh.innerHTML;
                }
            });
            news.content.querySelectorAll('[data-live-class]').forEach(fresh => {
                const shown = document.querySelector(`#content [data-live-class="${fresh.dataset.liveClass}"]`);
                if (shown) {
                    shown.className = fresh.className;
                }
            });
            followStatus(news.content.firstElementChild.dataset.status);
        }

        /* The form's status moves along, unless the person has chosen another. */
        function followStatus(status) {
            const select = document.querySelector('select[name=status]');
            const shownWith = document.querySelector('input[name=initial-status]');
            if (select && shownWith && select.value === shownWith.value && document.activeElement !== select) {
                select.value = shownWith.value = status;
            }
        }

        poll(PAGE_SECONDS, note, async () => {
            const answer = await fetch(section.dataset.liveUrl, {
                headers: etag ? {'If-None-Match': etag} : {},
                redirect: 'manual',
                cache: 'no-store',
            });
            if (answer.status === 200) {
                etag = answer.headers.get('ETag') ?? '';
                show(await answer.text());
            }
            say(note, '');
            return answer.status === 200 || answer.status === 304;
        });
    }

    /* The list: cells are brought up to date in place; when other rows belong on the page, a link offers to reload. */
    function watchList(note) {
        const table = document.getElementById('result_list');
        const key = row => row.querySelector('th a')?.pathname ?? '';

        function show(html) {
            const fresh = new DOMParser().parseFromString(html, 'text/html').getElementById('result_list');
            const freshRows = fresh ? Array.from(fresh.tBodies[0].rows) : [];
            const shownRows = Array.from(table.tBodies[0].rows);
            const byKey = new Map(freshRows.map(row => [key(row), row]));
            for (const row of shownRows) {
                const freshRow = byKey.get(key(row));
                Array.from(row.cells).forEach((cell, at) => {
                    const html = freshRow?.cells[at].innerHTML;
                    const untouched = !cell.classList.contains('action-checkbox') && !cell.contains(document.activeElement);
                    if (html !== undefined && untouched && cell.innerHTML !== html) {
                        cell.innerHTML = html;
                    }
                });
            }
            const order = rows => rows.map(key).join(' ');
            say(note, order(freshRows) === order(shownRows) ? '' : note.dataset.changed + ' ');
            if (!note.hidden) {
                const link = document.createElement('a');
                link.href = location.href;
                link.textContent = note.dataset.reload;
                note.append(link);
            }
        }

        poll(LIST_SECONDS, note, async () => {
            const answer = await fetch(location.href, {redirect: 'manual', cache: 'no-store'});
            if (answer.status === 200) {
                show(await answer.text());
            }
            return answer.status === 200;
        });
    }

    watchMenus();
    const table = document.getElementById('result_list');
    document.querySelectorAll('#result_list, .tabular table').forEach(labelCells);
    const section = document.querySelector('[data-live-url]');
    if (section) {
        watchRequest(section);
    }
    const note = document.getElementById('list-note');
    if (note && table) {
        watchList(note);
    }
}
