"""Counts up by one. Run it with: tee-sim run . -- python client.py"""

from counter.commands import ADD, COUNTER_UUID, Add

from tee_sim.normal.connect import connect

with connect().open_session(COUNTER_UUID) as session:
    print("the counter is", session.call(ADD, Add(step=1)).value)
