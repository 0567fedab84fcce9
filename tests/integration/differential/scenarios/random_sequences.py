"""Random sequences of messages. A seed that has shown something stays."""
from differ.generator import generated

ONE_BY_ONE, PIPELINED = [*range(1, 56)], [*range(101, 136)]
SCENARIOS = [generated(seed, False) for seed in ONE_BY_ONE] + [generated(seed, True) for seed in PIPELINED]
