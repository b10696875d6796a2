/* Keeps what has the attribute data-refresh up to date: fetches the page again and patches what differs, so that
   focus, scroll positions and open details stay. It ends when the server no longer asks for it. */
"use strict";
{
    const MILLISECONDS = 3000;

    const patch = (shown, fresh) => {
        if (shown.isEqualNode(fresh)) return;
        if (shown.nodeName !== fresh.nodeName || shown.id !== fresh.id) return shown.replaceWith(fresh);
        if (shown.nodeType !== Node.ELEMENT_NODE) return void (shown.nodeValue = fresh.nodeValue);
        const kept = (name) => name === "open" || fresh.hasAttribute(name);
        for (const {name} of [...shown.attributes]) if (!kept(name)) shown.removeAttribute(name);
        for (const {name, value} of fresh.attributes) if (name !== "open") shown.setAttribute(name, value);
        const children = [...fresh.childNodes];
        while (shown.childNodes.length > children.length) shown.lastChild.remove();
        children.forEach((child, place) => {
            const old = shown.childNodes[place];
            if (old) patch(old, child); else shown.append(child);
        });
    };

    const refresh = async (shown) => {
        const answer = await fetch(location.href, {headers: {"X-Refresh": "1"}});
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = answer.ok && !answer.redirected && page.getElementById(shown.id);
        if (fresh) patch(shown, fresh);
        else if (answer.status < 500) shown.removeAttribute("data-refresh"); // logged out, or it is gone
    };

    const later = () => setTimeout(async () => {
        const shown = document.querySelector("[data-refresh]");
        if (!shown) return;
        if (!document.hidden) await refresh(shown).catch(() => {}); // the next time may go better
        later();
    }, MILLISECONDS);

    later();
}
