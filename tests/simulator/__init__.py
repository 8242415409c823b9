"""The simulator: consoles, backend nodes, students and network, in one process, from one seed.

    python -m tests.simulator --seeds 10000 --first 0   # many worlds; status 1 on a failure
    make simulate SEEDS=1 FIRST=4711                    # the same world again, with its story

What runs is the product's own code: the writer's batches with the real deciders, the approval
workflow, accounts, the ledger's follower, the checkpoint signer; the outbox, the sender, the
decider, the live feed and the witness. Only what is outside of the product is replaced: time
(`loop.py`), blocking calls and the death of a process (`process.py`), the network (`network.py`),
and the people (`officer.py`, `students.py`). Files are real; a database is a real SQLite file.

- **One seed, one story.** Every random choice comes from the seed (`chance.py`), time passes only
  when everybody waits, blocking calls run in their place. `World.digest` of a seed never changes.
- **Faults** (`faults.py`): messages lost, late, twice and out of order; connections cut; processes
  that die before or after any blocking call, in a transaction, or between a commit and its answer;
  clocks years off; devices revoked, officers disabled, roles taken, sessions ended; a queue file
  that is rolled back to an old copy, or edited; withdrawals; students who enroll again.
- **Not modelled:** a disk that lies. A process that dies leaves its files as they were after its
  last finished call (SQLite's own log takes care of the rest); the power never fails. Requests go
  to the services as the routes call them, without HTTP. The list that a console opens offline with
  is kept in memory, and nobody shares a console.
- After the storm comes a calm in which everything heals; then **the invariants** hold
  (`invariants.py`). For each there are builds broken on purpose (`sabotage.py`) that it catches.
- **A failing seed** prints its story and the command that tells it again. A change of the product
  or of the simulator makes other stories of the same seeds.

Where to look: `world.py` composes one world and tells its story; `node.py` is a backend,
`console.py` a console, `book.py` what an impartial observer wrote down; `run.py` runs many seeds.
"""
