package policy

// CoolingOff is how long after a disconnect nobody can lower what Xero required.
const CoolingOff = coolingOff
