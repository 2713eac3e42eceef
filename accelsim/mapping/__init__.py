"""Machine families: each lowers (graph, architecture, options) to a Program."""
