"""The simulator: consoles, backend nodes, students and network, in one process, from one seed.

    python -m tests.simulator --seeds 10000 --first 0   # many worlds; status 1 on a failure
    make simulate SEEDS=1 FIRST=4711                    # the same world again, with its story

What runs is the product's own code: the writer's batches with the real deciders, the approval
workflow, accounts, the ledger's follower, the checkpoint signer; the outbox, the sender, the
decider, the live feed and the witness. Only what is outside of the product is replaced: time
(`loop.py`), blocking calls and the death of a process (`process.py`), the network (`network.py`),
and the people (`hand.py`, `students.py`). Files are real; a database is a real SQLite file.

- **One seed, one story.** Every random choice comes from the seed (`chance.py`), time passes only
  when everybody waits, blocking calls run in their place. `World.digest` of a seed never changes.
- **Faults** (`faults.py`): messages lost, late, twice and out of order; connections cut; processes
  that die before or after any blocking call, in a transaction, or between a commit and its answer;
  clocks years off; devices revoked, officers disabled, roles taken, sessions ended
  (`permissions.py`); a queue file that is rolled back to an old copy, whose bits are turned, whose
  rows are swapped, edited or deleted, whose key is lost (`queue_faults.py`, `queue_files.py`);
  withdrawals; students who enroll again. What chance alone would hardly ever bring about is played
  whole (`stories.py`): an old copy that sends what was withdrawn or gives a number again, a
  withdrawal that comes too late or is damaged, what a console holds when its officer is disabled.
- **Not modelled:** a disk that lies. A process that dies leaves its files as they were after its
  last finished call (SQLite's own log takes care of the rest); the power never fails. Requests go
  to the services as the routes call them, without HTTP. The list that a console opens offline with
  is kept in memory, and nobody shares a console.
- **What nobody can notice, and so is not asked for:** a row that somebody deletes from a queue file
  cannot be told from one that never was (rows leave by themselves, numbers may have gaps), and a
  queue that is an old copy cannot know what it has forgotten. Both lose decisions that never left
  the console; neither makes anything happen twice or brings back what was withdrawn. A withdrawal
  that is deleted is noticed: its decision asks for a person.
- After the storm comes a calm in which everything heals; then **the invariants** hold
  (`invariants.py`, and `outcomes.py` for each decision). Excuses are narrow: a decision may be gone
  only where an edit hit its very row and its officer was told; a refusal, a conflict or a question
  to a person must have had its cause, by the rules told once more over the ledger (`causes.py`).
  For every rule there are builds broken on purpose (`sabotage.py`) that it catches.
- **A failing seed** prints its story and the command that tells it again. A change of the product
  or of the simulator makes other stories of the same seeds.

Where to look: `world.py` composes one world and tells its story; `node.py` is a backend,
`console.py` a console, `hand.py` a person at one, `book.py` what an impartial observer wrote down,
`truth.py` what the ledger says; `run.py` runs many seeds.
"""
