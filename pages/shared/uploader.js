// Sends chosen files in batches of frames; see transfer/uploads.py for the format.
const BATCH_FILES = 100;
const PARALLEL = 3;
const ATTEMPTS = 5;
const LEFTOVERS = /(^|\/)(\.|__MACOSX\/|thumbs\.db$|ehthumbs\.db$|desktop\.ini$)/i;

class Refused extends Error {}

export default function (component) {
  const root = component.parentElement;
  // The function runs again at every rerun of the page; an upload must not notice.
  root.uploader ??= new Uploader(root);
  root.uploader.component = component;
}

class Uploader {
  constructor(root) {
    this.find = (selector) => root.querySelector(selector);
    for (const kind of ["folder", "zip"]) {
      const input = this.find(`.${kind}-input`);
      this.find(`button.${kind}`).onclick = () => input.click();
      input.onchange = () => {
        const files = [...input.files];
        input.value = "";
        if (files.length) this.upload(files.map((file) => pathed(file)));
      };
    }
    this.find(".cancel").onclick = () => this.abort?.abort();
    const zone = this.find(".zone");
    zone.ondragover = (event) => { event.preventDefault(); zone.classList.add("over"); };
    zone.ondragleave = () => zone.classList.remove("over");
    zone.ondrop = (event) => {
      event.preventDefault();
      zone.classList.remove("over");
      this.drop(event.dataTransfer);
    };
  }

  async drop(transfer) {
    if (this.abort) return;
    const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
    this.say("Reading the folder …");
    try {
      const files = [];
      for (const entry of entries) await collect(entry, files);
      await this.upload(files);
    } catch (error) {
      this.say(`The folder could not be read: ${error.message}`, true);
    }
  }

  async upload(chosen) {
    if (this.abort) return;
    const { data, setTriggerValue } = this.component;
    const { files, passedOver, failed } = sort(chosen, data);
    if (!files.length) {
      const why = failed.length ? failed[0].reason : "There are no pictures and no zip in it.";
      this.say(why, true);
      return;
    }
    this.abort = new AbortController();
    this.busy(true);
    setTriggerValue("begun", true);
    const state = {
      url: data.url, total: files.length, stored: new Set(), sent: 0, failed,
      bytes: files.reduce((sum, one) => sum + one.file.size, 0),
    };
    try {
      await this.send(state, { method: "DELETE" });
      await this.sendAll(state, files, data);
      this.finish(state, nameOf(chosen), passedOver);
    } catch (error) {
      if (this.abort.signal.aborted) {
        fetch(state.url, { method: "DELETE" }).catch(() => {});
        this.say("Cancelled. Nothing was kept.");
      } else {
        this.say(error.message, true);
      }
    }
    this.abort = null;
    this.busy(false);
  }

  async sendAll(state, files, data) {
    const small = files.filter((one) => one.file.size <= data.pieceBytes);
    const large = files.filter((one) => one.file.size > data.pieceBytes);
    const jobs = batches(small, data.pieceBytes).map((batch) => () => this.sendBatch(state, batch));
    jobs.push(...large.map((one) => () => this.sendPieces(state, one, data.pieceBytes)));
    const worker = async () => { while (jobs.length) await jobs.shift()(); };
    await Promise.all(Array.from({ length: PARALLEL }, worker));
  }

  async sendBatch(state, batch) {
    try {
      const pieces = batch.map((one) => ({ ...one, offset: 0, body: one.file }));
      await this.sendFrames(state, pieces);
    } catch (error) {
      if (this.abort.signal.aborted || error instanceof Refused) throw error;
      // One file that vanished or cannot be read fails its whole batch: tell which.
      if (batch.length > 1) for (const one of batch) await this.sendBatch(state, [one]);
      else state.failed.push({ path: batch[0].path, reason: error.message });
    }
    this.show(state);
  }

  async sendPieces(state, one, pieceBytes) {
    try {
      for (let offset = 0; offset < one.file.size; offset += pieceBytes) {
        const body = one.file.slice(offset, offset + pieceBytes);
        await this.sendFrames(state, [{ ...one, offset, body }]);
        this.show(state);
      }
    } catch (error) {
      if (this.abort.signal.aborted || error instanceof Refused) throw error;
      state.failed.push({ path: one.path, reason: error.message });
    }
  }

  async sendFrames(state, pieces) {
    const parts = [];
    for (const { path, file, offset, body } of pieces) {
      const header = { path, offset, size: body.size, total: file.size };
      const encoded = new TextEncoder().encode(JSON.stringify(header));
      const length = new DataView(new ArrayBuffer(4));
      length.setUint32(0, encoded.length);
      parts.push(length.buffer, encoded, body);
    }
    const answer = await this.send(state, { method: "PUT", body: new Blob(parts) });
    answer.stored.forEach((path) => state.stored.add(path));
    state.sent += pieces.reduce((sum, { body }) => sum + body.size, 0);
  }

  // A lost connection or an error of the server is tried again; a refusal is final.
  async send(state, request) {
    let problem = "The server did not answer.";
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (attempt) await pause(400 * 2 ** attempt, this.abort.signal);
      let response;
      try {
        response = await fetch(state.url, { ...request, signal: this.abort.signal });
      } catch (error) {
        if (this.abort.signal.aborted) throw error;
        problem = "The connection broke, or the file cannot be read any more.";
        continue;
      }
      // Behind a wrong path Streamlit answers 200 with its own page.
      const isJson = (response.headers.get("content-type") ?? "").includes("json");
      if (response.ok && isJson) return await response.json();
      const answer = isJson ? await response.json() : {};
      problem = [answer.error ?? `The server answered ${response.status}.`, answer.hint].filter(Boolean).join(" ");
      if ([403, 404, 413, 507].includes(response.status)) throw new Refused(problem);
    }
    throw new Error(problem);
  }

  finish(state, name, passedOver) {
    const missing = state.total - state.stored.size;
    this.show(state);
    this.say(`${count(state.stored.size)} of ${count(state.total)} files arrived` +
      `${missing ? `; ${count(missing)} did not` : ""}.`, missing > 0);
    this.component.setTriggerValue("done", {
      name, sent: state.total, passedOver, failed: state.failed.slice(0, 100),
    });
  }

  show(state) {
    this.find("progress").value = state.bytes ? state.sent / state.bytes : 1;
    this.say(`${count(state.stored.size)} of ${count(state.total)} files, ` +
      `${megabytes(state.sent)} of ${megabytes(state.bytes)}`);
  }

  say(text, bad = false) {
    const status = this.find(".status");
    status.textContent = text;
    status.classList.toggle("bad", bad);
  }

  busy(on) {
    this.find(".progress").hidden = !on;
    for (const kind of ["folder", "zip"]) this.find(`button.${kind}`).disabled = on;
  }
}

const pathed = (file) => ({ path: file.webkitRelativePath || file.name, file });
const count = (number) => number.toLocaleString("en");
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
const nameOf = (files) => files[0].path.split("/")[0];

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); });
  });
}

// What is sent, how many are no pictures, and what is too large.
function sort(chosen, data) {
  const visible = chosen.filter(({ path }) => !LEFTOVERS.test(path));
  const isZip = ({ path }) => visible.length === 1 && /\.zip$/i.test(path);
  const isPicture = ({ path }) => data.extensions.some((one) => path.toLowerCase().endsWith(one));
  const taken = visible.filter((one) => isZip(one) || isPicture(one));
  const limit = (one) => (isZip(one) ? data.maxZip : data.maxPicture);
  const files = taken.filter((one) => one.file.size <= limit(one));
  const failed = taken.filter((one) => one.file.size > limit(one)).map((one) => ({
    path: one.path, reason: `${megabytes(one.file.size)} is more than the limit of ${megabytes(limit(one))}.`,
  }));
  return { files, failed, passedOver: visible.length - taken.length };
}

function batches(files, bytes) {
  const found = [];
  let room = 0;
  for (const one of files) {
    if (!found.length || found.at(-1).length >= BATCH_FILES || one.file.size > room) {
      found.push([]);
      room = bytes;
    }
    found.at(-1).push(one);
    room -= one.file.size;
  }
  return found;
}

// All files below a dropped entry; a folder is read in portions until one is empty.
async function collect(entry, files) {
  const path = entry.fullPath.replace(/^\//, "");
  if (entry.isFile) {
    files.push({ path, file: await new Promise((ok, bad) => entry.file(ok, bad)) });
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    const portion = await new Promise((ok, bad) => reader.readEntries(ok, bad));
    if (!portion.length) return;
    for (const child of portion) await collect(child, files);
  }
}
