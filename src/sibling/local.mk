# src/sibling
