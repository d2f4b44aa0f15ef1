// Sends files in batches of framed pieces; the server's answer says what it stored.
const BATCH_FILES = 100;
const PARALLEL = 3;
const TRIES = 5;

async function entriesOf(entry, path) {
  if (entry.isFile) {
    const file = await new Promise((ok, no) => entry.file(ok, no));
    return [{ file, path: path + file.name }];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) {
    const some = await new Promise((ok, no) => reader.readEntries(ok, no));
    if (!some.length) break;
    for (const one of some) found.push(...await entriesOf(one, path + entry.name + '/'));
  }
  return found;
}

// A large file is cut into pieces, which must arrive in order, so it is a chain.
function batchesOf(files, pieceBytes) {
  const batches = [], chains = [];
  let batch = [], bytes = 0;
  for (const { file, path } of files) {
    if (file.size > pieceBytes) {
      const chain = [];
      for (let at = 0; at < file.size; at += pieceBytes) {
        const content = file.slice(at, at + pieceBytes);
        chain.push([{ path, offset: at, total: file.size, content }]);
      }
      chains.push(chain);
      continue;
    }
    if (batch.length >= BATCH_FILES || bytes + file.size > pieceBytes) {
      if (batch.length) chains.push([batch]);
      batch = []; bytes = 0;
    }
    batch.push({ path, offset: 0, total: file.size, content: file });
    bytes += file.size;
  }
  if (batch.length) chains.push([batch]);
  return chains;
}

function framed(batch) {
  const parts = [], encoder = new TextEncoder();
  for (const { path, offset, total, content } of batch) {
    const size = content.size;
    const header = encoder.encode(JSON.stringify({ path, offset, total, size }));
    const length = new DataView(new ArrayBuffer(4));
    length.setUint32(0, header.length);
    parts.push(length.buffer, header, content);
  }
  return new Blob(parts);
}

// What the browser cannot read any more: moved, deleted or changed since it was chosen.
class Unreadable extends Error {
  constructor(pieces) { super('the file cannot be read any more'); this.pieces = pieces; }
}

async function checkReadable(batch) {
  const lost = [];
  for (const piece of batch) {
    await piece.content.slice(0, 1).arrayBuffer().catch(() => lost.push(piece));
  }
  if (lost.length) throw new Unreadable(lost);
}

async function send(url, batch, signal) {
  let problem = 'no answer';
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      const answer = await fetch(url, { method: 'PUT', body: framed(batch), signal });
      const isJson = (answer.headers.get('content-type') || '').includes('json');
      const said = isJson ? await answer.json() : {};
      if (answer.ok && isJson) return said.stored;
      problem = [said.error || `answer ${answer.status}`, said.hint].join(' ');
      if (answer.status < 500 || answer.status === 507) break;
    } catch (error) {
      if (signal.aborted) throw error;
      problem = String(error.message || error);
      await checkReadable(batch);  // waiting would not bring such a file back
    }
    await new Promise(again => setTimeout(again, 400 * 2 ** attempt));
  }
  throw new Error(problem);
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const find = id => parentElement.querySelector('#' + id);
  const drop = find('drop'), bar = find('bar'), status = find('status');
  const cancel = find('cancel'), failedList = find('failed');
  const wanted = path => data.extensions.some(e => path.toLowerCase().endsWith(e));

  async function upload(all) {
    const isZip = all.length === 1 && all[0].path.toLowerCase().endsWith('.zip');
    const files = isZip ? all : all.filter(({ path }) => wanted(path));
    failedList.replaceChildren();
    if (!files.length) { status.textContent = 'There is no picture and no zip in it.'; return; }
    setTriggerValue('begun', true);
    const stop = new AbortController();
    bar.hidden = cancel.hidden = false;
    cancel.onclick = () => stop.abort();
    await fetch(data.url, { method: 'DELETE' }).catch(() => {});
    const total = files.reduce((sum, { file }) => sum + file.size, 0);
    const chains = batchesOf(files, data.piece);
    let stored = 0, sent = 0, next = 0;
    const failed = [];
    const show = () => {
      bar.value = total ? sent / total : 1;
      status.textContent = `${stored} of ${files.length} files, ` +
        `${(sent / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`;
    };
    show();
    // Whether all of the batch arrived; an unreadable file does not harm the others.
    async function deliver(batch) {
      try {
        stored += (await send(data.url, batch, stop.signal)).length;
        sent += batch.reduce((sum, { content }) => sum + content.size, 0);
        return true;
      } catch (error) {
        if (stop.signal.aborted) return false;
        const lost = error.pieces || batch;
        failed.push(...lost.map(({ path }) => [path, error.message]));
        const rest = batch.filter(piece => !lost.includes(piece));
        if (rest.length) await deliver(rest);
        return false;
      } finally {
        show();
      }
    }
    async function worker() {
      while (next < chains.length && !stop.signal.aborted) {
        const chain = chains[next++];
        for (const batch of chain) if (!await deliver(batch)) break;
      }
    }
    await Promise.all(Array.from({ length: PARALLEL }, worker));
    cancel.hidden = true;
    if (stop.signal.aborted) {
      bar.hidden = true;
      await fetch(data.url, { method: 'DELETE' }).catch(() => {});
      status.textContent = 'Cancelled; nothing was kept.';
      return;
    }
    for (const [path, why] of failed.slice(0, 200)) {
      const item = document.createElement('li');
      item.textContent = `${path}: ${why}`;
      failedList.append(item);
    }
    setTriggerValue('done', { chosen: all.length, sent: files.length, failed: failed.length });
  }

  const chosen = input => [...input.files].map(
    file => ({ file, path: file.webkitRelativePath || file.name }));
  for (const id of ['folder', 'zip']) {
    find(id).onchange = event => upload(chosen(event.target));
  }
  drop.ondragover = event => { event.preventDefault(); drop.classList.add('over'); };
  drop.ondragleave = () => drop.classList.remove('over');
  drop.ondrop = async event => {
    event.preventDefault();
    drop.classList.remove('over');
    const entries = [...event.dataTransfer.items].map(i => i.webkitGetAsEntry()).filter(Boolean);
    const found = [];
    for (const entry of entries) found.push(...await entriesOf(entry, ''));
    upload(found);
  };
}
