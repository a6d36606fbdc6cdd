package reason_test

import (
	"strings"
	"testing"

	"keyturn/internal/policy"
	"keyturn/internal/readiness"
	"keyturn/internal/web/reason"
)

func TestNobodyIsSpokenOfAsSomebodyElseToThemselves(t *testing.T) {
	t.Parallel()
	var lacks []policy.Withheld
	for _, key := range []policy.WithheldKey{
		policy.NoEmail, policy.NoMobile, policy.EmailBounced, policy.NumberRefused, policy.NoSMSAvailable, policy.ResetMark,
		policy.Resting, policy.SpentMethod, policy.AwaitsProof, policy.NotProved,
	} {
		lacks = append(lacks, policy.Withheld{Kind: policy.Email, Key: key})
	}
	var all []string
	for _, do := range []readiness.Action{
		readiness.DoTry, readiness.DoSecondRoad, readiness.DoSetUp, readiness.DoEmail, readiness.DoHelpCode, readiness.DoManager, readiness.DoWait,
	} {
		if reason.Mend(do) == "" || reason.YouMend(do) == "" {
			t.Errorf("nothing is said of what to do: %s", do)
		}
		all = append(all, reason.YouMend(do))
		all = append(all, reason.YouUnready(readiness.Person{Mark: policy.WillManage, Do: do})...)
	}
	told := reason.YouUnready(readiness.Person{Mark: policy.NeedsHelp, Lacks: lacks})
	if len(told) != len(lacks) {
		t.Errorf("%d of %d are said: %q", len(told), len(lacks), told)
	}
	for _, said := range append(all, told...) {
		for _, theirs := range []string{"Their ", "their ", "they ", "them ", "Has never"} {
			if strings.Contains(said, theirs) {
				t.Errorf("said to the person themselves: %q", said)
			}
		}
	}
	if got := reason.YouUnready(readiness.Person{Mark: policy.Ready, Lacks: lacks}); got != nil {
		t.Errorf("whoever is ready lacks %q", got)
	}
}
