package rescue

import "keyturn/internal/method"

// newCode makes a code that is read out, as it is shown, and in the one form that is
// hashed: 9 letters, above the 40 bits that a code of 5 tries and 15 minutes is to have.
func newCode() (shown, plain string) {
	shown = method.NewHelpCode()
	plain, _ = method.ReadHelpCode(shown)
	return shown, plain
}
