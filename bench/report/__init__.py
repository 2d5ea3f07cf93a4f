"""Reports: the outcomes of commands, the blocks that show them, and the formats that print blocks.

`build.RunRecord` is what a run fills in. A command has a model that derives from `outcome.Outcome`, and a
`layout.Layout` that turns it into blocks; `formats.ALL` lists the formats that every report is written in.
"""
