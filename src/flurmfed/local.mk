# src/flurmfed
