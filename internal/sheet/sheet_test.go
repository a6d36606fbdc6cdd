package sheet_test

import (
	"testing"

	"keyturn/internal/sheet"
)

func TestNoCellBeginsAFormula(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "Pat Chen": "Pat Chen", "a=1": "a=1", "  Pat": "  Pat", "=1+1": "'=1+1", "+61 400": "'+61 400", "-1": "'-1",
		"@SUM(A1)": "'@SUM(A1)", "\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1", "  =1": "'  =1", "＝1": "'＝1", "＠x": "'＠x",
	} {
		if got := sheet.Cell(text); got != want {
			t.Errorf("%q became %q, not %q", text, got, want)
		}
	}
}
