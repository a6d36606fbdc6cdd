package policy_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"keyturn/internal/policy"
)

func TestAWhyRecordKeepsWhatItsWordsNeedAndNamesNobody(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 12, 0, 20, 0, 5000, time.UTC)
	d := policy.Decision{Outcome: policy.Ask, Reasons: []policy.Reason{
		{Key: policy.XeroConnected, Site: "s1", SiteName: "Bayside Auto", Since: at, By: "Pat Chen", Organisation: "Bayside Pty Ltd"},
		{Key: policy.ClientAsks, Level: 3},
		{Key: policy.PassNotEnough, Method: policy.Email, Since: at},
		{Key: policy.DeviceRemembered, Since: at, Until: at.Add(time.Hour)},
	}}
	facts := d.Record()
	for name, value := range facts {
		if strings.Contains(value, "Pat") || strings.Contains(value, "Bayside") || strings.Contains(value, "s1") {
			t.Errorf("%s names somebody: %s", name, value)
		}
	}
	outcome, reasons, ok := policy.Recorded(facts)
	want := []policy.Reason{
		{Key: policy.XeroConnected, Since: at},
		{Key: policy.ClientAsks, Level: 3},
		{Key: policy.PassNotEnough, Method: policy.Email, Since: at},
		{Key: policy.DeviceRemembered, Since: at, Until: at.Add(time.Hour)},
	}
	if !ok || outcome != "ask" || !reflect.DeepEqual(reasons, want) {
		t.Errorf("read back %q %+v %t", outcome, reasons, ok)
	}
}

func TestARecordOfAnOlderReleaseIsReadWithoutItsFields(t *testing.T) {
	t.Parallel()
	outcome, reasons, ok := policy.Recorded(map[string]string{"outcome": "allow", "reasons": "nothing_required"})
	if !ok || outcome != "allow" || len(reasons) != 1 || !reasons[0].Since.IsZero() {
		t.Errorf("read %q %+v %t", outcome, reasons, ok)
	}
	if _, _, ok := policy.Recorded(map[string]string{"method": "email"}); ok {
		t.Error("facts without a decision were read as one")
	}
}
