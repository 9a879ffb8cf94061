# A worker of a cluster: slim Python, the CPU build of torch, a user without rights. docs/cluster.md says how it is used.
FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
# Versions first, so that a change of the sources does not fetch them again.
COPY constraints.txt ./
RUN python -m venv /opt/scenefer \
    && /opt/scenefer/bin/pip install --no-cache-dir --index-url https://download.pytorch.org/whl/cpu torch==2.13.0
COPY pyproject.toml README.md LICENSE ./
COPY pipelines pipelines
COPY scenefer scenefer
RUN /opt/scenefer/bin/pip install --no-cache-dir -c constraints.txt ".[ray,s3]"

FROM python:3.11.14-slim-bookworm
RUN useradd --create-home --uid 10001 scenefer
COPY --from=build /opt/scenefer /opt/scenefer
# A worker is one thread; what it needs of weights is in the image, so it has no business on the network but Ray's.
ENV PATH=/opt/scenefer/bin:$PATH \
    OMP_NUM_THREADS=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SCENEFER_OFFLINE=1
USER 10001
WORKDIR /home/scenefer
# No entry point: Ray starts its own commands in the container.
CMD ["scenefer", "--help"]
