# src/fed_flurmd
