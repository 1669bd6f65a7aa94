# src/gateway
