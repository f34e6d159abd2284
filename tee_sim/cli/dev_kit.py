"""`tee-sim dev-kit`: the folder that applications in C are built with."""

import click


@click.command(name="dev-kit")
@click.option(
    "--cc",
    "compiler",
    metavar="COMPILER",
    default="",
    help="the C compiler that the kit itself is built with; default: the first of cc, gcc and clang",
)
def dev_kit(compiler: str) -> None:
    """Print the folder of headers, make rules and libraries for applications in C; build it first if it is missing.

    It lies in the user's cache (XDG_CACHE_HOME, else ~/.cache) and stays until the product or the compiler changes.

    \b
    Example:
      ls $(tee-sim dev-kit)/include
    To build an application, and a program that calls it:
      TA_DEV_KIT_DIR=$(tee-sim dev-kit) make
      cc host.c -I$(tee-sim dev-kit)/include -L$(tee-sim dev-kit)/lib -lteec
    """
    from tee_sim.normal.dev_kit import kit_folder  # noqa: PLC0415 - for this command only

    click.echo(kit_folder(compiler))
