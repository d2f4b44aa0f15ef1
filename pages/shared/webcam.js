// The camera of whoever looks at the page: pictures one by one or in a burst. They are
// held here, and looked at, until they are used. A part of uploader.js.
const QUALITY = 0.95;
const LONGEST = 1280;  // pixels of the longer side that is asked of the camera

// What a browser says of a camera that it does not give, and what can be done about it.
const REFUSALS = {
  NotAllowedError: 'The camera may not be used: you or your browser refused it. Allow ' +
    'it in the site settings beside the address, then press “Use the camera” again.',
  NotFoundError: 'There is no camera. Plug one in, or take the pictures with a phone ' +
    'and choose them as files.',
  NotReadableError: 'Another program uses the camera. Close it, then try again.',
};
REFUSALS.SecurityError = REFUSALS.NotAllowedError;
REFUSALS.OverconstrainedError = REFUSALS.NotFoundError;

class Webcam {
  constructor(find, say, use) {
    Object.assign(this, { find, say, taken: [], timer: null });
    this.video = find('video');
    find('#open-camera').onclick = () => this.open();
    find('#close-camera').onclick = () => this.close();
    find('#take').onclick = () => this.take();
    find('#burst').onclick = () => (this.timer ? this.endBurst() : this.burst());
    find('#cameras').onchange = () => this.open(find('#cameras').value);
    find('#use').onclick = async () => {
      this.endBurst();
      const files = this.taken.splice(0);
      this.show();
      // Until all of it has arrived it is kept here.
      if (!await use(files)) this.taken.unshift(...files);
      this.show();
    };
  }

  async open(deviceId) {
    this.say('');
    // Elsewhere a browser does not even say that there are cameras.
    if (!window.isSecureContext || !navigator.mediaDevices?.getUserMedia) {
      this.say('Browsers give a camera only to pages at https:// or at localhost, and ' +
        `this one is at ${location.origin}. Ask whoever runs the server for https, or ` +
        'take the pictures with a phone and choose them as files.', true);
      return;
    }
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: 'environment' };
    try {
      this.stop();
      const stream = await navigator.mediaDevices.getUserMedia(
        { video: { ...which, width: { ideal: LONGEST } } });
      this.video.srcObject = stream;
      await this.video.play();
      // Plugged out, or taken back in the browser's settings.
      stream.getTracks().forEach(track => { track.onended = () => {
        this.close();
        this.say('The camera was taken away. What was taken with it is still here.', true);
      }; });
    } catch (error) {
      this.say(REFUSALS[error.name] ?? `The camera cannot be used: ${error.message}`, true);
      return;
    }
    this.find('.live').hidden = false;
    await this.list();
  }

  // Their names are known only once one may be used.
  async list() {
    const all = await navigator.mediaDevices.enumerateDevices();
    const cameras = all.filter(({ kind }) => kind === 'videoinput');
    const box = this.find('#cameras');
    const now = this.video.srcObject?.getVideoTracks()[0]?.getSettings().deviceId;
    box.hidden = cameras.length < 2;
    box.replaceChildren(...cameras.map(({ label, deviceId }, at) =>
      new Option(label || `Camera ${at + 1}`, deviceId, false, deviceId === now)));
  }

  async take() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return;
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    canvas.getContext('2d').drawImage(this.video, 0, 0);
    const content = await new Promise(done => { canvas.toBlob(done, 'image/jpeg', QUALITY); });
    const path = `camera-${new Date().toISOString().replaceAll(':', '.')}.jpg`;
    this.taken.push({ file: new File([content], path), path });
    this.show();
  }

  burst() {
    let left = Math.max(1, Math.floor(+this.find('#count').value) || 1);
    const one = () => {
      this.take();
      left -= 1;
      if (left) this.find('#burst').textContent = `Stop, ${left} to go`;
      else this.endBurst();
    };
    this.timer = setInterval(one, +this.find('#pace').value);
    one();
  }

  endBurst() {
    clearInterval(this.timer);
    this.timer = null;
    this.find('#burst').textContent = 'Take so many';
  }

  show() {
    const count = this.taken.length;
    this.find('.taken').replaceChildren(...this.taken.map((one, at) => this.tile(one, at)));
    this.find('.kept').hidden = !count;
    this.find('#use').textContent = count === 1 ? 'Use this picture' : `Use these ${count}`;
    this.find('.number').textContent = `${count} taken. Press one to drop it.`;
  }

  // A button that shows the picture, and drops it.
  tile(one, at) {
    one.tile ??= (() => {
      const tile = document.createElement('button');
      tile.type = 'button';
      const picture = new Image();
      picture.src = URL.createObjectURL(one.file);
      tile.append(picture);
      return tile;
    })();
    one.tile.ariaLabel = `Drop picture ${at + 1}`;
    one.tile.onclick = () => {
      URL.revokeObjectURL(one.tile.firstChild.src);
      this.taken.splice(this.taken.indexOf(one), 1);
      this.show();
    };
    return one.tile;
  }

  stop() {
    this.endBurst();
    this.video.srcObject?.getTracks().forEach(track => {
      track.onended = null;
      track.stop();
    });
    this.video.srcObject = null;
  }

  close() {
    this.stop();
    this.find('.live').hidden = true;
  }
}
