/* The site chat's widget. On any page: <script src="…/static/helpdesk/chat.js" data-canal="HASH" async></script>
   Further attributes: data-idioma="pt-BR|en", data-tema="claro|escuro", data-aberto. It lives in a shadow root, so page
   and widget leave each other's styles alone, and uses no inline script or style. */
(() => {
  "use strict";

  const script = document.currentScript;
  const channel = script?.dataset.canal;
  if (!channel || customElements.get("callcenter-chat")) return;
  const base = new URL(script.src).origin;
  const memory = `callcenter-chat:${channel}`;

  const TEXTS = {
    pt: {
      open: "Abrir o chat", close: "Fechar o chat", title: "Atendimento", label: "Sua mensagem", send: "Enviar",
      attach: "Anexar arquivo", log: "Mensagens", you: "Você", system: "Atendimento",
      hello: "Olá! Escreva sua mensagem e já respondemos por aqui.", sending: "Enviando…",
      failed: "Não enviada.", again: "Tentar de novo", tooBig: "O arquivo é grande demais.",
      offline: "Sem conexão. Tentando de novo…", ended: "Este atendimento foi encerrado. Escreva para começar outro.",
      with: (name) => `Você está falando com ${name}.`, waiting: "Aguarde, já vamos responder.",
      unread: (count) => `Abrir o chat, ${count} ${count === 1 ? "mensagem nova" : "mensagens novas"}`,
      download: (name, size) => `Baixar ${name} (${size})`, refused: "A mensagem não foi aceita.",
      unavailable: "O chat não está disponível agora.",
    },
    en: {
      open: "Open chat", close: "Close chat", title: "Customer service", label: "Your message", send: "Send",
      attach: "Attach a file", log: "Messages", you: "You", system: "Customer service",
      hello: "Hello! Write your message and we will answer here.", sending: "Sending…",
      failed: "Not sent.", again: "Try again", tooBig: "The file is too large.",
      offline: "No connection. Trying again…", ended: "This conversation was closed. Write to start another one.",
      with: (name) => `You are talking to ${name}.`, waiting: "One moment, we will answer soon.",
      unread: (count) => `Open chat, ${count} new ${count === 1 ? "message" : "messages"}`,
      download: (name, size) => `Download ${name} (${size})`, refused: "The message was not accepted.",
      unavailable: "The chat is not available now.",
    },
  };
  const language = script.dataset.idioma || document.documentElement.lang || navigator.language || "pt";
  const locale = language.toLowerCase().startsWith("en") ? "en" : "pt-BR";
  const T = TEXTS[locale === "en" ? "en" : "pt"];

  const STYLE = `
    :host { all: initial; color-scheme: light dark; --accent: light-dark(#0b5c6b, #8fd3e0);
      --on-accent: light-dark(#fff, #06262d); --ground: light-dark(#fff, #151d21); --soft: light-dark(#eef3f4, #222d33);
      --text: light-dark(#17242b, #e6edf0); --quiet: light-dark(#51626b, #a4b4bc); --line: light-dark(#7d8f98, #64747c);
      --bad: light-dark(#a3211b, #ff9d94);
      --head: light-dark(#0b5c6b, #123a43); --edge: light-dark(#d5dee2, #36444c); }
    :host([data-tema="claro"]) { color-scheme: light; }
    :host([data-tema="escuro"]) { color-scheme: dark; }
    * { box-sizing: border-box; font: 16px/1.45 system-ui, sans-serif; letter-spacing: normal; }
    [hidden] { display: none !important; }
    button { cursor: pointer; border: 0; background: none; color: inherit; padding: 0; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
    .launch { position: fixed; right: 20px; bottom: 20px; width: 60px; height: 60px; border-radius: 30px;
      background: var(--accent); color: var(--on-accent); display: grid; place-items: center; z-index: 2147483000;
      box-shadow: 0 4px 16px #0005; }
    .launch svg { width: 28px; height: 28px; }
    .count { position: absolute; top: -4px; right: -4px; min-width: 24px; height: 24px; border-radius: 12px; padding: 0 6px;
      background: #b3261e; color: #fff; font-size: 14px; font-weight: 700; line-height: 24px; text-align: center; }
    .panel { position: fixed; right: 20px; bottom: 92px; width: 380px; height: min(600px, calc(100dvh - 112px));
      display: flex; flex-direction: column; background: var(--ground); color: var(--text); border-radius: 16px;
      border: 1px solid var(--edge); overflow: hidden; z-index: 2147483000; box-shadow: 0 8px 40px #0006;
      animation: rise .16s ease-out; }
    @keyframes rise { from { opacity: 0; transform: translateY(12px); } }
    header { display: flex; align-items: center; gap: 12px; padding: 14px 12px 14px 18px; background: var(--head);
      color: #fff; }
    header div { flex: 1; min-width: 0; }
    h2 { margin: 0; font-size: 17px; font-weight: 650; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    .state { margin: 0; font-size: 14px; }
    header button { width: 40px; height: 40px; border-radius: 20px; display: grid; place-items: center; }
    header :focus-visible { outline-color: currentColor; outline-offset: -3px; }
    svg { width: 22px; height: 22px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round;
      stroke-linejoin: round; }
    .log { flex: 1; overflow-y: auto; overscroll-behavior: contain; padding: 16px; display: flex; flex-direction: column;
      gap: 4px; margin: 0; list-style: none; }
    .log:focus-visible { outline-offset: -3px; }
    .item { max-width: 84%; align-self: flex-start; display: flex; flex-direction: column; }
    .item.mine { align-self: flex-end; align-items: flex-end; }
    .item + .item.first { margin-top: 10px; }
    .who { font-size: 13px; color: var(--quiet); margin: 0 4px 2px; }
    .bubble { background: var(--soft); border-radius: 14px; padding: 8px 12px; white-space: pre-wrap;
      overflow-wrap: anywhere; }
    .mine .bubble { background: var(--accent); color: var(--on-accent); }
    .bubble a { color: inherit; text-decoration: underline; overflow-wrap: anywhere; }
    .file { display: inline-flex; gap: 6px; align-items: center; }
    .file svg { width: 16px; height: 16px; flex: none; }
    .fate { font-size: 13px; color: var(--quiet); margin: 2px 4px 0; }
    .fate.bad { color: var(--bad); }
    .fate button { text-decoration: underline; font-size: 13px; padding: 4px; min-height: 24px; }
    .hello { color: var(--quiet); margin: auto; text-align: center; padding: 0 20px; }
    .note { margin: 0; padding: 6px 16px; font-size: 14px; color: var(--quiet); }
    form { display: flex; gap: 8px; align-items: flex-end; padding: 10px; border-top: 1px solid var(--edge); }
    textarea { flex: 1; min-width: 0; resize: none; height: 44px; max-height: 132px; padding: 9px 14px; border-radius: 22px;
      border: 1px solid var(--line); background: var(--ground); color: var(--text); field-sizing: content; }
    textarea::placeholder { color: var(--quiet); opacity: 1; }
    form button { width: 44px; height: 44px; flex: none; border-radius: 22px; display: grid; place-items: center;
      color: var(--quiet); }
    form button[type="submit"] { background: var(--accent); color: var(--on-accent); }
    .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    @media (max-width: 480px) {
      .panel { inset: 0; width: 100vw; height: 100dvh; border: 0; border-radius: 0; }
      .panel:not([hidden]) ~ .launch { display: none; }
    }
    @media (prefers-reduced-motion: reduce) { .panel { animation: none; } }
    @media (forced-colors: active) { .bubble, .launch, .panel { border: 1px solid; } }
    @media print { :host { display: none; } }
  `;

  const PATHS = {
    chat: "M21 12a8 8 0 0 1-8 8H4l2-3.5A8 8 0 1 1 21 12Z",
    close: "M6 6l12 12M18 6L6 18",
    send: "M4 12h15M13 6l6 6-6 6",
    clip: "M20 11l-8.5 8.5a5 5 0 0 1-7-7L13 4a3.5 3.5 0 0 1 5 5l-8.5 8.5a2 2 0 0 1-3-3L14 7",
  };

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === true) element.setAttribute(key, "");
      else if (value !== false && value != null) element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  };

  const icon = (name) => {
    const picture = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    picture.setAttribute("viewBox", "0 0 24 24");
    picture.setAttribute("aria-hidden", "true");
    path.setAttribute("d", PATHS[name]);
    picture.append(path);
    return picture;
  };

  const remember = () => {
    try {
      return JSON.parse(localStorage.getItem(memory)) || {};
    } catch {
      return {};
    }
  };

  const keep = (value) => {
    try {
      localStorage.setItem(memory, JSON.stringify(value));
    } catch {
      // A browser that keeps nothing: the conversation lives as long as the page.
    }
  };

  const newId = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    bytes[6] = (bytes[6] & 15) | 64;
    bytes[8] = (bytes[8] & 63) | 128;
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
  };

  const sizeOf = (bytes) => {
    const unit = bytes < 1048576 ? ["KB", 1024] : ["MB", 1048576];
    return `${(bytes / unit[1]).toLocaleString(locale, { maximumFractionDigits: 1 })} ${unit[0]}`;
  };

  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  /* Asks, and asks again while there is no answer or the answer is "later"; the id makes a repetition harmless. */
  async function ask(path, options = {}, tries = 5) {
    for (let attempt = 1; ; attempt += 1) {
      let response = null;
      try {
        response = await fetch(base + path, { credentials: "omit", cache: "no-store", ...options });
      } catch {
        // No connection.
      }
      if (response?.ok) return response.json();
      const isLater = !response || response.status === 429 || response.status >= 500;
      if (!isLater || attempt >= tries) {
        const body = response ? await response.json().catch(() => ({})) : {};
        throw Object.assign(new Error(body.erro || ""), { status: response?.status || 0 });
      }
      const seconds = Number(response?.headers.get("Retry-After")) || 0;
      await wait(Math.min(Math.max(seconds * 1000, 500 * 2 ** attempt), 30000));
    }
  }

  const post = (path, body) =>
    ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

  class Chat extends HTMLElement {
    #stored = remember();
    #items = new Map();
    #last = 0;
    #unread = 0;
    #card = null;
    #source = null;
    #polling = 0;
    #sending = Promise.resolve();

    connectedCallback() {
      const root = this.attachShadow({ mode: "open" });
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(STYLE);
      root.adoptedStyleSheets = [sheet];
      if (script.dataset.tema) this.dataset.tema = script.dataset.tema;
      this.lang = locale;
      this.#build(root);
      if (this.#stored.hash) this.#start();
      if (script.dataset.aberto !== undefined) this.#show(false);
    }

    #build(root) {
      this.state = make("p", { class: "state" });
      this.heading = make("h2", { id: "title" }, T.title);
      const close = make("button", { type: "button", "aria-label": T.close }, icon("close"));
      this.hello = make("p", { class: "hello" }, T.hello);
      this.log = make("div", { class: "log", role: "log", "aria-label": T.log, "aria-live": "polite", tabindex: "0" }, this.hello);
      this.note = make("p", { class: "note", role: "status", hidden: true });
      this.field = make("textarea", { id: "text", rows: "1", maxlength: "4000", placeholder: T.label });
      this.file = make("input", { type: "file", hidden: true, tabindex: "-1", "aria-label": T.attach });
      const clip = make("button", { type: "button", "aria-label": T.attach, title: T.attach }, icon("clip"));
      const send = make("button", { type: "submit", "aria-label": T.send, title: T.send }, icon("send"));
      this.form = make("form", {}, clip, this.file, make("label", { for: "text", class: "unseen" }, T.label), this.field, send);
      this.panel = make(
        "section",
        { class: "panel", role: "dialog", "aria-labelledby": "title", id: "panel", hidden: true },
        make("header", {}, make("div", {}, this.heading, this.state), close), this.log, this.note, this.form,
      );
      this.count = make("span", { class: "count", "aria-hidden": "true", hidden: true });
      this.launch = make(
        "button",
        { class: "launch", type: "button", "aria-label": T.open, "aria-expanded": "false", "aria-controls": "panel" },
        icon("chat"), this.count,
      );
      root.append(this.panel, this.launch);
      this.launch.addEventListener("click", () => (this.panel.hidden ? this.#show(true) : this.#hide()));
      close.addEventListener("click", () => this.#hide());
      clip.addEventListener("click", () => this.file.click());
      this.file.addEventListener("change", () => this.#attach());
      this.panel.addEventListener("keydown", (event) => event.key === "Escape" && this.#hide());
      this.form.addEventListener("submit", (event) => (event.preventDefault(), this.#write()));
      this.field.addEventListener("keydown", (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
          event.preventDefault();
          this.#write();
        }
      });
    }

    #show(isFocused) {
      this.panel.hidden = false;
      this.launch.setAttribute("aria-expanded", "true");
      this.#counted(0);
      this.log.scrollTop = this.log.scrollHeight;
      if (isFocused) this.field.focus();
      this.#introduce();
    }

    #hide() {
      this.panel.hidden = true;
      this.launch.setAttribute("aria-expanded", "false");
      this.launch.focus();
    }

    #counted(number) {
      this.#unread = number;
      this.count.hidden = !number;
      this.count.textContent = number > 9 ? "9+" : String(number);
      this.launch.setAttribute("aria-label", number ? T.unread(number) : T.open);
    }

    #say(text) {
      this.note.hidden = !text;
      this.note.textContent = text;
    }

    /* Whose chat it is; asked once, when it is needed. */
    async #introduce() {
      this.#card ||= ask(`/chat/canais/${channel}`);
      try {
        const card = await this.#card;
        this.heading.textContent = card.empresa;
        return card;
      } catch (error) {
        this.#card = null;
        this.#say(T.unavailable);
        throw error;
      }
    }

    #write() {
      const text = this.field.value.trim();
      if (!text) return;
      this.field.value = "";
      this.#post(this.#mine({ id: newId(), texto: text, anexos: [] }));
    }

    async #attach() {
      const [chosen] = this.file.files;
      this.file.value = "";
      if (!chosen) return;
      const card = await this.#introduce().catch(() => null);
      if (!card) return;
      if (chosen.size > card.arquivo_maximo) return this.#say(T.tooBig);
      this.#say("");
      this.#post(this.#mine({ id: newId(), texto: "", anexos: [{ nome: chosen.name, tamanho: chosen.size }] }), chosen);
    }

    #mine(message) {
      const item = this.#draw({ ...message, de: "visitante", numero: 0, em: new Date().toISOString() });
      this.#fate(item, T.sending);
      return { ...message, item };
    }

    /* One after the other, so that they arrive in the order in which they were written. */
    #post(message, file) {
      this.#sending = this.#sending.then(() => this.#send(message, file)).catch((error) => {
        const again = make("button", { type: "button" }, T.again);
        again.addEventListener("click", () => {
          this.#fate(message.item, T.sending);
          this.#post(message, file);
        });
        this.#fate(message.item, `${error.message || T.failed} `, true, error.status === 400 ? null : again);
      });
    }

    async #send(message, file) {
      if (file && !this.#stored.hash) {
        await this.#receive(await post(`/chat/canais/${channel}/conversas`, { id: newId(), mensagem: file.name }));
      }
      let receipt;
      if (file) {
        const body = new FormData();
        body.append("id", message.id);
        body.append("arquivo", file);
        receipt = await ask(`/chat/${this.#stored.hash}/arquivos`, { method: "POST", body });
      } else {
        const path = this.#stored.hash ? `/chat/${this.#stored.hash}/mensagens` : `/chat/canais/${channel}/conversas`;
        receipt = await post(path, { id: message.id, mensagem: message.texto }).catch((error) => {
          // Deleted meanwhile, or of another installation: what is written now begins a new one.
          if (error.status !== 404 || !this.#stored.hash) throw error;
          this.#stored = {};
          return post(`/chat/canais/${channel}/conversas`, { id: message.id, mensagem: message.texto });
        });
      }
      this.#fate(message.item, "");
      await this.#receive(receipt);
    }

    async #receive(receipt) {
      if (receipt.hash !== this.#stored.hash) {
        this.#stored = { hash: receipt.hash };
        keep(this.#stored);
        this.#say("");
        this.#start();
      }
    }

    #fate(item, text, isBad = false, action = null) {
      const fate = item.querySelector(".fate");
      fate.hidden = !text;
      fate.classList.toggle("bad", isBad);
      fate.replaceChildren(text, ...(action ? [action] : []));
    }

    /* The conversation's stream; until it is open, and whenever it breaks, questions every few seconds. */
    async #start() {
      this.#source?.close();
      const hash = this.#stored.hash;
      this.#poll(hash);
      const card = await this.#introduce().catch(() => null);
      if (!card || hash !== this.#stored.hash) return;
      const source = new EventSource(`${card.eventos}/chat/${hash}/eventos?depois=${this.#last}`);
      this.#source = source;
      source.addEventListener("open", () => this.#stopPolling());
      source.addEventListener("mensagem", (event) => this.#take(JSON.parse(event.data)));
      source.addEventListener("estado", (event) => this.#stand(JSON.parse(event.data)));
      source.addEventListener("error", () => {
        if (this.#source !== source) return;
        this.#poll(hash);
        // Refused, not cut off: the browser won't try again by itself.
        if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#source === source && this.#start(), 30000);
      });
    }

    #stopPolling() {
      clearTimeout(this.#polling);
      this.#polling = 0;
      this.#say("");
    }

    async #poll(hash) {
      if (this.#polling) return;
      const turn = setTimeout(() => {}, 0);
      this.#polling = turn;
      while (this.#polling === turn && hash === this.#stored.hash) {
        try {
          const found = await ask(`/chat/${hash}/mensagens?depois=${this.#last}`, {}, 1);
          if (hash !== this.#stored.hash) break;
          found.mensagens.forEach((message) => this.#take(message));
          if (found.estado) this.#stand(found.estado);
          if (this.note.textContent === T.offline) this.#say("");
        } catch (error) {
          if (error.status === 404) {
            // Deleted, or of another installation.
            if (hash === this.#stored.hash) {
              this.#stored = {};
              keep({});
            }
            break;
          }
          this.#say(T.offline);
        }
        await wait(3000);
      }
      if (this.#polling === turn) this.#polling = 0;
    }

    #stand(state) {
      // The company has begun another conversation: what it says there is for this visitor.
      if (state.seguinte) return void this.#receive({ hash: state.seguinte });
      if (state.aberto === false) this.#say(T.ended);
      else if (this.note.textContent === T.ended) this.#say("");
      this.state.textContent = state.aberto === false ? "" : state.atendente ? T.with(state.atendente) : T.waiting;
    }

    #take(message) {
      this.#last = Math.max(this.#last, message.numero);
      if (this.#items.has(message.numero)) return;
      const mine = message.id && this.#items.get(message.id);
      if (mine) {
        this.#items.set(message.numero, mine);
        this.#fate(mine, "");
        this.#fill(mine, message);
        return;
      }
      const item = this.#draw(message);
      this.#items.set(message.numero, item);
      if (this.panel.hidden && message.de !== "visitante") this.#counted(this.#unread + 1);
    }

    #draw(message) {
      this.hello.remove();
      const isMine = message.de === "visitante";
      const who = isMine ? T.you : message.autor || T.system;
      const isFirst = this.log.lastElementChild?.dataset.who !== who;
      const item = make(
        "div",
        { class: `item${isMine ? " mine" : ""}${isFirst ? " first" : ""}`, "data-who": who },
        make("span", { class: isFirst ? "who" : "unseen" }, who),
        make("div", { class: "bubble" }),
        make("span", { class: "fate", hidden: true }),
      );
      item.title = new Date(message.em).toLocaleString(locale);
      this.#fill(item, message);
      if (message.id) this.#items.set(message.id, item);
      const isAtEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < 80;
      this.log.append(item);
      if (isAtEnd || isMine) this.log.scrollTop = this.log.scrollHeight;
      return item;
    }

    #fill(item, message) {
      const bubble = item.querySelector(".bubble");
      bubble.replaceChildren(...this.#linked(message.texto));
      for (const file of message.anexos) {
        if (bubble.childNodes.length) bubble.append("\n");
        const path = file.url || (file.hash && `${base}/chat/${this.#stored.hash}/arquivos/${file.hash}`);
        const isThere = path && /^https?:/.test(path);
        const label = T.download(file.nome, sizeOf(file.tamanho));
        const name = isThere
          ? make("a", { href: path, rel: "noopener noreferrer", target: "_blank", "aria-label": label }, file.nome)
          : file.nome;
        bubble.append(make("span", { class: "file" }, icon("clip"), name));
      }
    }

    /* The text with its web addresses as links; everything else stays text. */
    #linked(text) {
      return text.split(/(https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]])/).filter(Boolean).map((part) =>
        /^https?:\/\//.test(part) ? make("a", { href: part, rel: "noopener noreferrer nofollow", target: "_blank" }, part) : part,
      );
    }
  }

  customElements.define("callcenter-chat", Chat);
  const place = () => document.body.append(document.createElement("callcenter-chat"));
  if (document.body) place();
  else document.addEventListener("DOMContentLoaded", place);
})();
