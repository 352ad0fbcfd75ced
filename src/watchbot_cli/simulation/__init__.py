"""``watchbot simulate``: what a scaling setting does with a workload, before it is deployed.

Data flows one way: a template (:mod:`service_template`) or a peer (:mod:`peers`) gives a :mod:`setting`; the
:mod:`simulation` plays a :mod:`workload` on it in virtual time; its :mod:`figures` are priced (:mod:`cost`) and shown
(:mod:`report`, :mod:`chart`, :mod:`page`). Within the simulation the :mod:`queue` feeds the :mod:`fleet`, whose
:mod:`metrics` the alarms (:mod:`alarm`) read, whose policies (:mod:`step_scaling`, :mod:`target_tracking`) ask the
:mod:`scalable_target` for another number of tasks.
"""

from __future__ import annotations
