package page

import (
	"fmt"

	"golang.org/x/text/language"
)

// Plain says a sentence without tags in a language, as BCP 47 has it, where there is
// no markup: in mail. The result is text, and has to be escaped to become HTML.
func Plain(lang, english string, args ...any) string {
	tag := Preferred(lang)
	isolated := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case int, int64:
			isolated[i] = v
		default:
			isolated[i] = v
			if tag == language.Arabic { // what is put in must not turn the writing around it
				isolated[i] = "\u2068" + fmt.Sprint(v) + "\u2069"
			}
		}
	}
	return voiceOf(tag).Sprintf(english, isolated...)
}

// DirectionOf is how a language is written: "ltr" or "rtl".
func DirectionOf(lang string) string { return direction(Preferred(lang)) }
