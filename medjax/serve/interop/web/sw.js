// Keeps the page, so that it opens without a network. A new export has another name here, and takes the place of this.

const CACHE = `medjax ${self.registration.scope} {{version}}`;
const FILES = ['./', 'manifest.webmanifest', 'icon.svg', 'icon-192.png', 'icon-512.png'];

self.addEventListener('install', (event) => {
  const fresh = FILES.map((file) => new Request(file, { cache: 'reload' }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  const ours = (name) => name.startsWith(`medjax ${self.registration.scope} `) && name !== CACHE;
  const names = caches.keys().then((all) => Promise.all(all.filter(ours).map((name) => caches.delete(name))));
  event.waitUntil(names.then(() => self.clients.claim()));
});

self.addEventListener('fetch', (event) => {
  if (event.request.method !== 'GET') return;
  const name = event.request.url.replace(/[?#].*$/, '').replace(/index\.html$/, '');
  event.respondWith(
    caches.open(CACHE).then((cache) => cache.match(name)).then((found) => found ?? fetch(event.request)),
  );
});
