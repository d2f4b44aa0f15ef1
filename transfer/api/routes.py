"""The routes for programs, and the description of them all in OpenAPI's form."""

import base64
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, FastAPI, Path, Query, Request
from fastapi.responses import FileResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from transfer.api import pictures, refusals
from transfer.api.answers import (
    ClassAnswer,
    DatasetAnswer,
    ExportAnswer,
    JobAnswer,
    MetricAnswer,
    PictureAnswer,
    Prediction,
    RunAnswer,
    RunLine,
    SegmentAnswer,
    SoundAnswer,
)
from transfer.api.asking import Asking, Backend, Changes, Reads
from transfer.api.pictures import Sent
from transfer.api.refusals import Refusal
from transfer.config import TrainConfig
from transfer.datasets import library, names
from transfer.datasets.revision import Revision
from transfer.errors import ImageError, NotFoundError
from transfer.export import orders
from transfer.people import pace
from transfer.runs import continuing, queue
from transfer.store.record import Job, Run

_SAYS = """What the pages do, for programs: ask a run about pictures, look at datasets,
runs, jobs and exports, start and stop. A token of the page API goes along as
`Authorization: Bearer TOKEN`; it opens what its person may see. Every error is JSON
with `error` and `hint`."""
_REFUSALS: dict[int | str, dict[str, Any]] = {
    status: {"model": Refusal, "description": says}
    for status, says in {
        401: "No token, or one that is not valid.",
        403: "The token's person may not, or the token reads only.",
        404: "There is none, or the token's person may not see it.",
        422: "What was sent cannot be read, or is out of its limits.",
        429: "Too much in too short a time; `Retry-After` says for how long to wait.",
    }.items()
}
#: Of lists: the newest.
_MOST = 1000

router = APIRouter(responses=_REFUSALS)
_Run = Annotated[str, Path(description="Id or name of a run.")]
_Limit = Annotated[int, Query(ge=1, le=_MOST, description="So many, the newest first.")]


class NewRun(TrainConfig):
    """The settings of a run that is to start; what is left out is as recommended."""

    # A path of the server is nothing for a request to open.
    weights: Literal["imagenet", "random"] = "imagenet"
    name: str = Field(default="", description="Left empty, it gets one.")


class NewExport(BaseModel):
    """The export that is to be made."""

    run: str = Field(description="Id or name of a run that left a model.")
    format: str = Field(description="keras, savedmodel, litert, onnx or openvino.")
    quantize: str = Field(default="none", description="none, float16 or int8.")


@router.post("/predict/{run}", openapi_extra=pictures.BODY, tags=["predict"])
async def predict(
    request: Request,
    run: _Run,
    asking: Reads,
    top: Annotated[
        int | None, Query(ge=1, description="So many classes; all if left out.")
    ] = None,
    heat_map: Annotated[
        bool, Query(description="Show where the evidence for the best class is.")
    ] = False,
) -> Prediction:
    """Classes and probabilities of one picture or recording, or of several."""
    found = await run_in_threadpool(asking.store.get, run)
    with pictures.room():
        sent = await pictures.read(request)
        pace.spend(
            *(asking.store, "predict", asking.person.id), len(sent) * (1 + heat_map)
        )
        return await run_in_threadpool(_predict, asking, found, sent, top, heat_map)


def _predict(
    asking: Asking, run: Run, sent: list[Sent], top: int | None, heat_map: bool
) -> Prediction:
    contents = [one.content for one in sent]
    if run.dataset_kind == "sounds":
        return _hear(asking, run, sent, top)
    answers = asking.inference.predict_each(run.id, contents, top)
    if len(sent) == 1 and isinstance(answers[0], ImageError):
        raise answers[0]
    told: list[SoundAnswer | PictureAnswer] = []
    for one, answer in zip(sent, answers, strict=True):
        if isinstance(answer, ImageError):
            told.append(_refuse(one, answer))
            continue
        heat = None
        if heat_map:
            heat = asking.inference.explain(run.id, one.content, answer[0][0])
        classes = [ClassAnswer(name=name, probability=p) for name, p in answer]
        shown = base64.b64encode(heat).decode() if heat else None
        told.append(PictureAnswer(name=one.name, classes=classes, heat_map=shown))
    return Prediction(run=run.id, pictures=told)


def _hear(asking: Asking, run: Run, sent: list[Sent], top: int | None) -> Prediction:
    told: list[SoundAnswer | PictureAnswer] = []
    for one in sent:
        try:
            heard = asking.inference.hear(run.id, one.content)
        except ImageError as error:
            if len(sent) == 1:
                raise
            told.append(_refuse(one, error))
            continue
        classes = [ClassAnswer(name=n, probability=p) for n, p in heard.ranking[:top]]
        segments = [
            SegmentAnswer(
                start=part.start,
                end=part.end,
                name=heard.class_names[part.label],
                probability=part.probability,
            )
            for part in heard.segments
        ]
        told.append(SoundAnswer(name=one.name, classes=classes, segments=segments))
    return Prediction(run=run.id, pictures=told)


def _refuse(one: Sent, error: ImageError) -> PictureAnswer:
    return PictureAnswer(
        name=one.name, classes=[], error=error.message, hint=error.hint
    )


@router.get("/datasets", tags=["datasets"])
def datasets(asking: Reads) -> list[DatasetAnswer]:
    """The datasets."""
    names = asking.store.datasets.readable(library.all_names())
    return [DatasetAnswer.of(one) for one in library.list_datasets(names)]


@router.get("/datasets/{name}", tags=["datasets"])
def dataset(name: str, asking: Reads) -> DatasetAnswer:
    """A dataset and how many images its classes have."""
    return DatasetAnswer.of(_dataset(asking, name))


@router.get("/runs", tags=["runs"])
def runs(asking: Reads, limit: _Limit = 100) -> list[RunLine]:
    """The runs, newest first."""
    return [RunLine.of(one) for one in asking.store.summaries(limit)]


@router.get("/runs/{run}", tags=["runs"])
def run(run: _Run, asking: Reads) -> RunAnswer:
    """A run: its settings, where it is, what came of it."""
    return RunAnswer.of(asking.store.get(run))


@router.get("/runs/{run}/metrics", tags=["runs"])
def metrics(run: _Run, asking: Reads) -> list[MetricAnswer]:
    """Loss and accuracy of a run, epoch by epoch."""
    found = asking.store.metrics.of_epochs(asking.store.get(run).id)
    return [MetricAnswer.of(one) for one in found]


@router.post("/runs", status_code=201, tags=["runs"])
def train(new: NewRun, asking: Changes) -> RunAnswer:
    """Starts a run: it trains once its turn has come."""
    store, revision = asking.store, _dataset(asking, new.dataset, new.revision)
    revision.check_learnable()
    found = {"dataset": revision.dataset, "revision": revision.id}
    config = TrainConfig.of(**new.model_dump(exclude={"name"}) | found)
    config.check_kind(revision.kind)
    continuing.model(store, config, revision)
    return RunAnswer.of(queue.submit(store, config, new.name))


@router.get("/jobs", tags=["jobs"])
def jobs(asking: Reads) -> list[JobAnswer]:
    """What waits and what works, runs among it."""
    store = asking.store
    return [JobAnswer.of(one) for one in [*store.active(), *store.waiting(_MOST)]]


@router.get("/jobs/{job}", tags=["jobs"])
def job(job: str, asking: Reads) -> JobAnswer:
    """A job, and where it is."""
    return JobAnswer.of(asking.store.get_job(job))


@router.post("/jobs/{job}/stop", tags=["jobs"])
def stop(job: str, asking: Changes) -> JobAnswer:
    """Stops a job; a run keeps its best weights until now."""
    return JobAnswer.of(queue.stop(asking.store, job))


@router.get("/exports", tags=["exports"])
def exports(asking: Reads, limit: _Limit = 100) -> list[ExportAnswer]:
    """The exports whose files are there."""
    found = asking.store.last_ended("export", limit)
    newest = {one.subject: one for one in reversed(found)}
    there = [_export(one) for one in reversed(newest.values())]
    return [one for one in there if one]


@router.get(
    "/exports/{export}",
    tags=["exports"],
    response_class=FileResponse,
    responses={200: {"content": {"application/zip": {}}}},
)
def export(export: str, asking: Reads) -> FileResponse:
    """The file of an export, a zip."""
    asking.store.get_job(export.partition("-")[0])
    path = orders.archive(export)
    return FileResponse(path, media_type="application/zip", filename=path.name)


@router.post("/exports", status_code=202, tags=["exports"])
def make_export(new: NewExport, asking: Changes) -> JobAnswer:
    """Has an export made; its job says when its file can be fetched."""
    found = asking.store.get(new.run)
    request = orders.request(found, new.format, new.quantize)
    return JobAnswer.of(queue.ask(asking.store, request))


def make(backend: Backend) -> FastAPI:
    """The app of all these routes, to be mounted at `/api`."""
    app = FastAPI(
        title="Transfer Studio",
        version="1",
        description=" ".join(_SAYS.split()),
        openapi_url="/openapi.json",
        # Their pages would fetch scripts of somebody else's server.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.backend = backend
    app.include_router(router)
    refusals.add_to(app)
    return app


class Described(NamedTuple):
    """A route as its description has it."""

    method: str
    path: str
    says: str


def outline() -> list[Described]:
    """All routes, with what each does."""
    return [
        Described(method, f"/api{one.path}", (one.endpoint.__doc__ or "").strip())
        for one in router.routes
        if isinstance(one, APIRoute)
        for method in sorted(one.methods or ())
    ]


def _dataset(asking: Asking, name: str, revision: str = "") -> Revision:
    """A dataset that may be seen; names are each one's own, so theirs comes first."""
    own = names.kept_under(name, asking.person.id)
    name = own if own in library.all_names() else name
    asking.store.datasets.check("read", name)
    return library.load(name, revision)


def _export(job: Job) -> ExportAnswer | None:
    try:
        path = orders.archive(job.subject)
    except NotFoundError:  # the room for exports is bounded: an old one may be gone
        return None
    return ExportAnswer(
        export=job.subject,
        run=job.run,
        file=path.name,
        bytes=path.stat().st_size,
        made_at=job.ended_at,
    )
