package rescue

// What tests do by hand that the queue does otherwise.
var (
	LookUp = (*Desk).lookUp
)

const (
	ResetLife = resetLife
	AskLife   = askLife
	Delay     = recoveryDelay
	Life      = recoveryLife
	OnFileFor = onFileFor
	CodeLife  = helpCodeLife
)
