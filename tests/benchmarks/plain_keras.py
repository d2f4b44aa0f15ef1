"""The plain recipe in plain Keras, for comparison: a whole program of its own.

`python plain_keras.py FOLDER BACKBONE WEIGHTS EPOCHS SEED`, where FOLDER has `train`
and `val`, prints its val accuracy and times as JSON.
"""

import json
import sys
import time

import keras

START = time.perf_counter()
APPLICATIONS = {
    "mobilenet_v2_035": ("MobileNetV2", {"alpha": 0.35}, "mobilenet_v2"),
    "mobilenet_v2": ("MobileNetV2", {}, "mobilenet_v2"),
    "resnet50": ("ResNet50", {}, "resnet"),
}


def main(folder: str, name: str, weights: str, epochs: int, seed: int) -> None:
    """Trains global average pooling, Dense 1024 relu and softmax on a frozen base."""
    keras.utils.set_random_seed(seed)
    train, val = (
        keras.utils.image_dataset_from_directory(
            f"{folder}/{split}", image_size=(224, 224), batch_size=32, seed=seed
        )
        for split in ("train", "val")
    )
    builder, arguments, module = APPLICATIONS[name]
    base = getattr(keras.applications, builder)(
        include_top=False, weights=weights, input_shape=(224, 224, 3), **arguments
    )
    base.trainable = False
    pixels = keras.Input((224, 224, 3))
    x = getattr(keras.applications, module).preprocess_input(pixels)
    x = keras.layers.GlobalAveragePooling2D()(base(x, training=False))
    x = keras.layers.Dense(1024, activation="relu")(x)
    outputs = keras.layers.Dense(len(train.class_names), activation="softmax")(x)
    model = keras.Model(pixels, outputs)
    model.compile(
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    times = [time.perf_counter()]
    each = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *_: times.append(time.perf_counter())
    )
    history = model.fit(
        train, validation_data=val, epochs=epochs, callbacks=[each], verbose=0
    )
    answer = {
        "val_accuracy": max(history.history["val_accuracy"]),
        "last_val_accuracy": history.history["val_accuracy"][-1],
        "epochs": [b - a for a, b in zip(times, times[1:], strict=False)],
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    path, backbone, source, count, first = sys.argv[1:]
    main(path, backbone, source if source != "random" else None, int(count), int(first))  # type: ignore[arg-type]
