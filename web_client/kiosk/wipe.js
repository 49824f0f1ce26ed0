/** Leaves nothing of a visitor in this browser. What lives in the page's memory goes with the reload that follows. */

/** @returns {Promise<void>} when every kind of storage that a page has is empty */
export async function wipeStorage() {
  localStorage.clear();
  sessionStorage.clear();
  for (const cookie of document.cookie.split(";")) {
    const name = cookie.split("=")[0]?.trim();
    if (name) document.cookie = `${name}=; path=/; max-age=0`;
  }
  const caches = "caches" in window ? await window.caches.keys() : [];
  await Promise.all(caches.map((name) => window.caches.delete(name)));
  const databases = await indexedDB.databases();
  await Promise.all(databases.map(({ name }) => (name ? deleteDatabase(name) : null)));
}

/**
 * @param {string} name
 * @returns {Promise<void>}
 */
function deleteDatabase(name) {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = request.onerror = request.onblocked = () => resolve();
  });
}
