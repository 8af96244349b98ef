"""The background supervisor: durable workflows, the verbs a person has, and what they act on."""
