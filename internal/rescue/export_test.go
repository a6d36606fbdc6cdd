package rescue

// What tests do by hand that the queue does otherwise.
var (
	LookUp = (*Desk).lookUp
	Common = func(plain string, own ...string) bool { return common(plain, own) }
)

const (
	ResetLife = resetLife
	AskLife   = askLife
	Delay     = recoveryDelay
	Life      = recoveryLife
	OnFileFor = onFileFor
	CodeLife  = helpCodeLife
)
