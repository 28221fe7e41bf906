"""A worker started by itself: `python -m workers worker`, with the options of `celery -A workers worker`.

That command starts the same one, but loads every command of Celery with its libraries first, down to a
prompt and the web server of Flower: some 13 MiB more in each process of the pool.
"""

from workers.loading import left_at_once

with left_at_once():
    import click
    from celery.bin.base import CLIContext
    from celery.bin.worker import worker

    from workers.app import app


@click.group()
def main() -> None:
    """Processes of the sweep service that Celery runs."""


main.add_command(worker)


if __name__ == "__main__":
    context = CLIContext(app=app, no_color=False, workdir=None, quiet=False)
    main(prog_name="python -m workers", auto_envvar_prefix="CELERY", obj=context)
