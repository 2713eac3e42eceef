"""Subcommands of ``accelsim``, one module each: ``configure(parser)`` and ``execute(args)`` -> exit code."""
