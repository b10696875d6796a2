# One image for web, worker, beat and Flower: the command chooses.
FROM python:3.13-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
WORKDIR /src
# Without the packages beside it this installs what the project needs, not the project: that layer
# is made again only when the requirements change.
COPY pyproject.toml constraints.txt README.md ./
RUN /venv/bin/pip install -c constraints.txt .
WORKDIR /app
COPY . .
# Makes a throwaway key of its own: no secret is baked in.
RUN JOBSITE_VAR=/tmp/var /venv/bin/python manage.py collectstatic --noinput

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /app --shell /usr/sbin/nologin jobsite \
    && install -d -o jobsite -g jobsite /var/lib/jobsite
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    JOBSITE_ENV=production \
    JOBSITE_VAR=/var/lib/jobsite \
    LOG_FORMAT=json
USER jobsite
VOLUME /var/lib/jobsite
EXPOSE 8000
CMD ["gunicorn", "jobsite.wsgi", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "8", \
     "--worker-tmp-dir", "/dev/shm", "--no-control-socket", "--access-logfile", "-"]
