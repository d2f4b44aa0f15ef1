// Sends chosen files in batches of frames; transfer/uploads.py says what a frame is.
const BATCH_FILES = 100;
const PARALLEL = 3;
// The pauses between them are 12 s in all: a server that is started anew is back by then.
const ATTEMPTS = 6;
const NAMED = 200;
// Bytes in one request that a proxy lets through that was not told to take more: 1 MB
// is nginx's limit.
const SMALL = 512 * 1024;
// What the import passes over too: hidden files, and what systems leave beside pictures.
const LEFTOVER = /(^|\/)(\.|__macosx\/|@eadir\/|\$recycle\.bin\/)/i;
// Stands for a dropped file that the browser could not open.
const UNREADABLE = { size: 0, slice: () => UNREADABLE, arrayBuffer: () => Promise.reject() };

// The server will not take these pieces; others may still arrive.
class Refused extends Error {}
// A proxy before the server takes no request of this size.
class TooLarge extends Refused {}

// The inputs that files are chosen with, and endings of zips.
const KINDS = ['folder', 'pictures', 'zip'];
const ZIPS = ['.zip', '.tm'];

export default function (component) {
  const root = component.parentElement;
  // This runs again at every rerun of the page, which an upload must not notice.
  root.uploader ??= new Uploader(root);
  root.uploader.component = component;
  root.uploader.find('#open-camera').hidden = !component.data.camera;
  const choose = root.uploader.find('#choose-pictures');
  choose.textContent = component.data.choose;
  choose.hidden = false;
  root.uploader.find('#pictures').accept = component.data.accept;
  return () => {
    root.uploader.stop?.abort();
    root.uploader.webcam.stop();
  };
}

class Uploader {
  constructor(root) {
    this.find = selector => root.querySelector(selector);
    for (const kind of KINDS) {
      const input = this.find(`#${kind}`);
      this.find(`#choose-${kind}`).onclick = () => input.click();
      input.onchange = () => {
        const files = [...input.files].map(
          file => ({ file, path: file.webkitRelativePath || file.name }));
        input.value = '';  // or the same folder could not be chosen again
        if (files.length) this.upload(files);
      };
    }
    this.webcam = new Webcam(this.find, (...said) => this.say(...said),
      files => this.upload(files));
    this.find('#cancel').onclick = () => this.stop?.abort();
    const zone = this.find('.zone');
    zone.ondragover = event => { event.preventDefault(); zone.classList.add('over'); };
    zone.ondragleave = () => zone.classList.remove('over');
    zone.ondrop = event => {
      event.preventDefault();
      zone.classList.remove('over');
      if (!this.stop) this.drop([...event.dataTransfer.items]);
    };
  }

  async drop(items) {
    const entries = items.map(item => item.webkitGetAsEntry()).filter(Boolean);
    this.say('Reading the folder …');
    try {
      const files = [];
      for (const entry of entries) await collect(entry, files);
      await this.upload(files);
    } catch (error) {
      this.say(`The folder cannot be read: ${error.message}`, true);
    }
  }

  // Whether all of it arrived.
  async upload(chosen) {
    if (this.stop || this.looks) return false;
    const { data, setTriggerValue } = this.component;
    this.looks = true;
    const files = await wanted(chosen, data).finally(() => { this.looks = false; });
    if (!files.length) {
      const zips = chosen.filter(isZip).length;
      this.say(zips > 1 ? `Those are ${zips} zips; bring one.`
        : `There is no picture and no zip in it.${endings(chosen)}`, true);
      return false;
    }
    this.begin(data.url, files);
    setTriggerValue('begun', true);
    try {
      // What an earlier upload brought must not be taken for a part of this one.
      await this.request({ method: 'DELETE' });
      await this.sendAll(jobsOf(files.map(wholeOf), data.piece));
    } catch (error) {
      this.problem = error.message;
    }
    if (this.stop.signal.aborted) {
      fetch(data.url, { method: 'DELETE' }).catch(() => {});
      this.say('Cancelled; nothing was kept.');
    } else {
      this.say('');
      const failed = files.filter(({ path }) => !this.stored.has(path)).slice(0, NAMED)
        .map(({ path }) => ({ path, reason: this.reasons.get(path) ?? this.problem }));
      setTriggerValue('done', { chosen: chosen.length, sent: files.length, failed });
    }
    const all = !this.stop.signal.aborted && this.stored.size === files.length;
    this.stop = null;
    this.busy(false);
    return all;
  }

  begin(url, files) {
    Object.assign(this, { url, count: files.length, sent: 0, stop: new AbortController() });
    // Paths that the server has, and why others could not be read or were refused.
    this.stored = new Set();
    this.reasons = new Map();
    this.problem = 'It did not arrive.';
    this.small = false;
    this.bytes = files.reduce((sum, { file }) => sum + file.size, 0);
    this.busy(true);
    this.show();
  }

  async sendAll(jobs) {
    const worker = async () => {
      try {
        for (let job = jobs.shift(); job; job = jobs.shift()) await this.sendJob(job);
      } catch (error) {
        this.problem = error.message;
        jobs.length = 0;  // what stopped this worker would stop the others too
      }
    };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
  }

  // Whether all batches arrived; after one that did not, the others are of no use.
  async sendJob(job) {
    for (const batch of job) if (!await this.sendBatch(batch)) return false;
    return true;
  }

  async sendInSmallPieces(batch) {
    let all = true;
    for (const job of jobsOf(batch, SMALL)) all = await this.sendJob(job) && all;
    return all;
  }

  // Whether all pieces arrived. Each is read before it is sent: in a request body one
  // file that cannot be read any more would break the whole request, and not be named.
  async sendBatch(batch) {
    const isLarge = batch.reduce((sum, { content }) => sum + content.size, 0) > SMALL;
    if (this.small && isLarge) return this.sendInSmallPieces(batch);
    const read = (await Promise.all(batch.map(piece => this.read(piece)))).filter(Boolean);
    try {
      if (read.length) await this.sendPieces(read);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error instanceof TooLarge && isLarge) {
        this.small = true;
        return this.sendInSmallPieces(batch);
      }
      if (batch.length > 1) for (const piece of batch) await this.sendBatch([piece]);
      else this.reasons.set(batch[0].path, error.message);
      return false;
    }
    return read.length === batch.length;
  }

  async read(piece) {
    try {
      const bytes = await piece.content.arrayBuffer();
      if (bytes.byteLength === piece.content.size) return { ...piece, bytes };
    } catch { /* said below */ }
    const why = 'The browser cannot read it; was it changed, moved or deleted?';
    this.reasons.set(piece.path, why);
    return null;
  }

  async sendPieces(pieces) {
    const body = new Blob(pieces.flatMap(framed));
    const answer = await this.request({ method: 'PUT', body });
    for (const path of answer.stored) this.stored.add(path);
    this.sent += pieces.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
    this.show();
  }

  // A lost connection or an error of the server is tried again; a refusal is final.
  async request(options) {
    const { signal } = this.stop;
    let problem;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt) await pause(200 * 2 ** attempt, signal);
      let response, isJson, said;
      try {
        response = await fetch(this.url, { ...options, signal });
        // Behind a wrong path Streamlit answers 200 with its own page.
        isJson = (response.headers.get('content-type') ?? '').includes('json');
        said = isJson ? await response.json() : {};
      } catch {
        signal.throwIfAborted();
        problem = 'The connection to the server was lost.';
        continue;
      }
      if (response.ok && isJson) return said;
      if (response.status === 413 && !said.error) {
        throw new TooLarge('The proxy before the server takes no request of this size: ' +
          'its limit must be 1 MB or more (client_max_body_size in nginx).');
      }
      problem = said.error ?? `The server answered ${response.status}.`;
      if (said.hint) problem += ` ${said.hint}`;
      if ([400, 413].includes(response.status)) throw new Refused(problem);
      if ([403, 404, 405, 507].includes(response.status)) break;
    }
    throw new Error(problem);
  }

  show() {
    this.find('progress').value = this.bytes ? this.sent / this.bytes : 0;
    this.say(`${this.stored.size.toLocaleString('en')} of ` +
      `${this.count.toLocaleString('en')} files, ` +
      `${(this.sent / 1e6).toFixed(1)} of ${(this.bytes / 1e6).toFixed(1)} MB`);
  }

  say(text, bad = false) {
    this.find('.status').textContent = text;
    this.find('.status').classList.toggle('bad', bad);
  }

  busy(on) {
    this.find('.progress').hidden = !on;
    for (const kind of KINDS) this.find(`#choose-${kind}`).disabled = on;
  }
}

const endsWith = (path, endings) => endings.some(e => path.toLowerCase().endsWith(e));
const isZip = ({ path }) => endsWith(path, ZIPS);

// One zip, or else all pictures, and the files of labels beside them.
async function wanted(chosen, { extensions, labels, beginnings, beginning }) {
  const files = chosen.filter(({ path }) => !LEFTOVER.test(path));
  if (files.length === 1 && isZip(files[0])) {
    return [{ file: files[0].file, path: files[0].path.split('/').pop() }];
  }
  const begins = new RegExp(beginnings);
  const found = [];
  for (let at = 0; at < files.length; at += BATCH_FILES) {
    const some = files.slice(at, at + BATCH_FILES);
    const are = await Promise.all(some.map(async ({ file, path }) =>
      endsWith(path, extensions) || begins.test(await latin1(file.slice(0, beginning)))));
    found.push(...some.filter((_, index) => are[index]));
  }
  if (!found.length) return found;
  return [...found, ...files.filter(one => endsWith(one.path, labels))];
}

// What cannot be read begins like nothing.
async function latin1(blob) {
  const bytes = await blob.arrayBuffer().catch(() => new ArrayBuffer(0));
  return String.fromCharCode(...new Uint8Array(bytes));
}

// What there was instead of pictures: the commonest endings.
function endings(chosen) {
  const counts = new Map();
  for (const { path } of chosen) {
    const ending = /[^/](\.[^./]+)$/.exec(path)?.[1].toLowerCase() ?? 'without an ending';
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  const first = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 3);
  return ` It holds ${first.map(([ending, count]) => `${count} ${ending}`).join(', ')}.`;
}

function wholeOf({ file, path }) {
  return { path, offset: 0, total: file.size, content: file };
}

// Lists of batches. What is cut must arrive in order, so it is one list.
function jobsOf(pieces, limit) {
  const jobs = [];
  let batch = [], room = 0;
  for (const piece of pieces) {
    const { size } = piece.content;
    if (size > limit) {
      jobs.push([...partsOf(piece, limit)]);
      continue;
    }
    if (!batch.length || batch.length >= BATCH_FILES || size > room) {
      jobs.push([batch = []]);
      room = limit;
    }
    batch.push(piece);
    room -= size;
  }
  return jobs;
}

function* partsOf({ path, offset, total, content }, limit) {
  for (let start = 0; start < content.size; start += limit) {
    const part = content.slice(start, start + limit);
    yield [{ path, offset: offset + start, total, content: part }];
  }
}

function framed({ path, offset, total, bytes }) {
  const header = JSON.stringify({ path, offset, total, size: bytes.byteLength });
  const encoded = new TextEncoder().encode(header);
  const length = new DataView(new ArrayBuffer(4));
  length.setUint32(0, encoded.length);
  return [length.buffer, encoded, bytes];
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    signal.addEventListener('abort', stop, { once: true });
  });
}

// All files below a dropped entry; a folder is read in portions until one is empty.
async function collect(entry, files) {
  const path = entry.fullPath.replace(/^\//, '');
  if (entry.isFile) {
    const file = await new Promise((ok, no) => entry.file(ok, no)).catch(() => UNREADABLE);
    files.push({ path, file });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const portion = await new Promise((ok, no) => reader.readEntries(ok, no));
    if (!portion.length) return;
    for (const child of portion) await collect(child, files);
  }
}
