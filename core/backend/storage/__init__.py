"""Tables, migrations, the writer."""
