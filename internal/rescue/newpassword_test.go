package rescue_test

import (
	"strings"
	"testing"

	"keyturn/internal/rescue"
)

func TestANewPasswordHasEightCharactersAndNoRulesBeside(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		token := w.link(t, w.kim)
		for typed, want := range map[string]rescue.Unfit{
			"7 chars": rescue.TooShort, "éééééé7": rescue.TooShort, "kimkim123": rescue.TooCommon,
			strings.Repeat("long words ", 100): rescue.TooLong, "workshop software": rescue.TooCommon,
		} {
			if set := w.set(t, token, typed); set.Unfit != want {
				t.Errorf("%q: %+v", typed, set)
			}
		}
		if set := w.set(t, token, "ピストン輪は八個"); set != (rescue.Set{}) {
			t.Errorf("eight characters of another script: %+v", set)
		}
	})
}
