package text

import (
	"strings"
	"testing"
)

func BenchmarkAdd(b *testing.B) {
	for _, bb := range []struct{ name, s string }{
		{"english", strings.Repeat("Kerala Police’s Counter Child Sexual Exploitation Centre (CCSEC) has arrested 41 people. ", 200)},
		{"ascii", strings.Repeat("Kerala Police said on Monday that it had arrested 41 people in raids across the state. ", 200)},
		{"malayalam", strings.Repeat("ഓപ്പറേഷന്\u200d പി ഹണ്ടിന്റെ ഭാഗമായി സംസ്ഥാനത്ത് നടത്തിയ പരിശോധനയില്\u200d പൊലീസ് അറസ്റ്റ് ചെയ്തു. ", 200)},
		{"hindi", strings.Repeat("केरल पुलिस ने ऑपरेशन पी-हंट के तहत 41 लोगों को गिरफ्तार किया है। ", 200)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			var buf Buffer
			b.SetBytes(int64(len(bb.s)))
			b.ReportAllocs()
			for b.Loop() {
				buf.Reset()
				buf.Add(bb.s)
			}
		})
	}
}
