from __future__ import annotations

import pytest

from dativo_provider.errors import ConfigurationError, Unsupported
from dativo_provider.operators.refuse import InvalidJobOperator, UnsupportedOperator


def test_an_unsupported_job_fails_with_what_is_missing():
    with pytest.raises(Unsupported, match="connector 'zendesk' cannot be read yet"):
        UnsupportedOperator(task_id="t", message="connector 'zendesk' cannot be read yet").execute({})


def test_an_invalid_job_fails_with_the_place_of_the_mistake():
    with pytest.raises(ConfigurationError, match=r"orders.yaml:3:5: .*\{\{ not rendered \}\}"):
        InvalidJobOperator(task_id="t", message="orders.yaml:3:5: {{ not rendered }}").execute({})
