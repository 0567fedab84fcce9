"""All scenarios by "theme/name"."""
import dataclasses
import importlib
import pkgutil

# Nothing in these is kept from one step to the next: no second client between them.
STATELESS = ("simple", "binary", "large", "errors", "large_objects", "violations", "startup", "reads")
ALL = {}
for _module in sorted(pkgutil.iter_modules(__path__), key=lambda module: module.name):
    for _scenario in importlib.import_module(f"{__name__}.{_module.name}").SCENARIOS:
        _name = f"{_module.name}/{_scenario.name}"
        assert _name not in ALL, f"two scenarios are called {_name}"
        if _module.name in STATELESS:
            _scenario = dataclasses.replace(_scenario, interleaved=False)
        ALL[_name] = _scenario
