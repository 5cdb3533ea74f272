"""The page of a gateway: what its devices and networks do, for people, for programs (JSON) and for Prometheus.

Rules of this folder:
1. It reads what the gateway hands it (`source.Source`), and changes nothing but by asking a device's hook.
2. Everything is bounded: events kept, names, readers, logins, labels. A slow reader is dropped, and the gateway never
   waits for one.
3. What a device says is text: it is shown with `textContent`, and never becomes markup, the end of a label or a line of
   its own.
4. aiohttp is used by `server`, `guard`, `api` and `stream` alone, and loaded only where a page is configured.
"""
