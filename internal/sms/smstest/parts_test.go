package smstest_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"keyturn/internal/message"
	"keyturn/internal/sms/smstest"
)

func TestPartsAreCountedAsProvidersDo(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int{
		"":                            1,
		strings.Repeat("a", 160):      1,
		strings.Repeat("a", 161):      2,
		strings.Repeat("a", 307):      3,
		strings.Repeat("€", 80):       1,
		strings.Repeat("€", 81):       2,
		strings.Repeat("漢", 70):       1,
		strings.Repeat("漢", 71):       2,
		strings.Repeat("🚗", 35):       1,
		strings.Repeat("🚗", 36):       2,
		"ê" + strings.Repeat("a", 70): 2,
	} {
		if got, _ := smstest.Parts(body); got != want {
			t.Errorf("%d bytes: got %d, want %d", len(body), got, want)
		}
	}
}

func TestOnePartIsWhatMessageTakesForOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringOfN(rapid.RuneFrom([]rune("abcé€{}@\n 漢🚗Ωß09#")), 0, 200, -1).Draw(t, "body")
		septets, gsm7 := message.Septets(body)
		parts, same := smstest.Parts(body)
		if gsm7 != same || gsm7 && (septets <= 160) != (parts == 1) {
			t.Errorf("message: %d, %t; here: %d, %t", septets, gsm7, parts, same)
		}
	})
}
