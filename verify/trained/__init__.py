"""The figures of the attention-only model: training runs, what they show by measures and rules, pictures."""
