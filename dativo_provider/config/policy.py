"""What a job does about violations: its own block over the file it names, over its contract, over policy.yaml."""

from __future__ import annotations

from dativo_provider.config.blocks import policy_of
from dativo_provider.config.contract import Policy
from dativo_provider.config.lookup import Contracts
from dativo_provider.config.making import Making
from dativo_provider.config.policies import policy_for
from dativo_provider.model.handling import Handling

__all__ = ["agreed_policy"]


def agreed_policy(making: Making, contracts: Contracts) -> Policy:
    """The policy, which `making` knows from then on."""
    making.policy = policy_for(making.place, making.findings)
    policy = _merged(making, contracts)
    making.keep_original, making.handling = policy.keep_original, policy.handling
    making.quarantine_days = policy.quarantine_days
    return policy


def _merged(making: Making, contracts: Contracts) -> Policy:
    every = [policy_of(making.job.data_contract), contracts.checks and contracts.checks.policy]
    every.append(contracts.job and contracts.job.policy)
    given = [each for each in every if each]
    _warn_of_laxness(making)
    return Policy(
        enforcement=next((each.enforcement for each in (*given, making.policy) if each.enforcement), None),
        on_schema_violation=next((each.on_schema_violation for each in given if each.on_schema_violation), None),
        keep_original=any(each.keep_original for each in given),
        quarantine_days=next((each.quarantine_days for each in given if each.quarantine_days is not None), None),
        handling=policy_of(making.job.data_contract).handling.over(
            contracts.checks.policy.handling if contracts.checks else Handling()
        ),
        sla=next((each.sla for each in given if each.sla), None),
        notification=next((each.notification for each in (*given, making.policy) if each.notification), None),
    )


def _warn_of_laxness(making: Making) -> None:
    block = making.job.data_contract
    own = block.enforcement_mode if block else None
    if making.policy.enforcement == "strict" and own in ("warn", "disabled"):
        making.warn(
            ("data_contract", "enforcement_mode"), f"policy.yaml says `strict`, and this job says `{own}`",
            "remove enforcement_mode, or agree on it with whoever keeps policy.yaml",
        )  # fmt: skip
