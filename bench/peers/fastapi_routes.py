"""classify(bytes) -> a FastAPI app: POST /predict accepts the form field `file`, POST /predict/raw the image itself."""

from collections.abc import Callable

from fastapi import FastAPI, Request, UploadFile
from fastapi.concurrency import run_in_threadpool


def create_app(classify: Callable[[bytes], dict]) -> FastAPI:
    app = FastAPI()

    @app.get("/health")
    def health() -> dict:
        return {"status": "ready"}

    @app.post("/predict")
    async def predict(file: UploadFile) -> dict:
        return await run_in_threadpool(classify, await file.read())

    @app.post("/predict/raw")
    async def predict_raw(request: Request) -> dict:
        return await run_in_threadpool(classify, await request.body())

    return app
