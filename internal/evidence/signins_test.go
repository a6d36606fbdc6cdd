package evidence

import (
	"testing"

	"keyturn/internal/policy"
)

func TestHowSomebodyGotInIsReadFromTheRecordAndTheDates(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		acr      string
		reasons  []policy.ReasonKey
		enforced bool
		want     how
	}{
		"an email code":                            {policy.URN(2), nil, true, passed},
		"a passkey":                                {policy.URN(4), nil, true, passed},
		"a second factor that nobody required":     {policy.URN(3), []policy.ReasonKey{policy.NothingRequired}, false, passed},
		"a remembered device":                      {policy.URN(1), []policy.ReasonKey{policy.XeroConnected, policy.DeviceRemembered}, true, remembered},
		"a mobile member":                          {policy.URN(1), []policy.ReasonKey{policy.MobileExempt}, true, exempt},
		"a password before the date":               {policy.URN(1), []policy.ReasonKey{policy.DateToCome}, false, before},
		"a password after it":                      {policy.URN(1), []policy.ReasonKey{policy.NothingRequired}, true, without},
		"a record that says that Xero required it": {policy.URN(1), []policy.ReasonKey{policy.XeroConnected}, false, without},
		"one that says so of the date":             {policy.URN(1), []policy.ReasonKey{policy.EnforcedSince}, false, without},
		"a level that nobody knows":                {"urn:keyturn:9", nil, true, without},
		"no level at all":                          {"", nil, true, without},
		"another's level":                          {"urn:other:3", nil, true, without},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			decision := policy.Decision{}
			for _, key := range row.reasons {
				decision.Reasons = append(decision.Reasons, policy.Reason{Key: key})
			}
			record := decision.Record()
			record["acr"] = row.acr
			if got := judge(record, func() bool { return row.enforced }); got != row.want {
				t.Errorf("judged %d, want %d", got, row.want)
			}
		})
	}
}
