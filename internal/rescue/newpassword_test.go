package rescue_test

import (
	"strings"
	"testing"

	"keyturn/internal/rescue"
)

func TestPasswordsThatAreTriedFirstAreCommon(t *testing.T) {
	t.Parallel()
	for _, one := range []string{
		"password", "Password1!", "P@ssw0rd2024", "12345678", "87654321", "qwertyui", "1qaz2wsx", "aaaaaaaa", "abababab",
		"letmein123", "Summer2024!", "dragondragon", "iloveyou1", "31.12.1999", "Kim12345", "bayside!!", "OseiKim99", "kimosei1",
		"workshop1", "zxcvbnm,./", "passwordpassword", "Welcome@123",
	} {
		if !rescue.Common(one, "kim", "osei", "kimosei", "oseikim", "bayside") {
			t.Errorf("%q passes", one)
		}
	}
	for _, one := range []string{newPassword, rightPassword, "kim likes brake fluid", "8m$kQz!w", "tyre-lever-91-blue", "パスワード安全第一", "843-cat-99317-0"} {
		if rescue.Common(one, "kim", "osei") {
			t.Errorf("%q is refused", one)
		}
	}
}

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

func FuzzCommonPasswords(f *testing.F) {
	for _, seed := range []string{"", "password1", "\xff\xfe", "aaaa", "1234567890", "é́́"} {
		f.Add(seed, "kim")
	}
	f.Fuzz(func(t *testing.T, plain, own string) {
		low := strings.ToLower(plain)
		if rescue.Common(plain, own) != rescue.Common(low, own) {
			t.Errorf("%q and %q are not the same", plain, low)
		}
	})
}
