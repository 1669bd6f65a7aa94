# src/plugins/fed_flurm
