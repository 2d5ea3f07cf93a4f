"""The cloud on this machine: a stand-in for AWS behind either engine, and the processes it describes."""
