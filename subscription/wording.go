package subscription

import (
	"cmp"
	"fmt"
)

// wording is what the letters say in one language. Each text is given the site, the
// way to what is asked, and the way to leave.
//
// The letters hold nothing that was written into the page: whoever writes an
// address there must not be able to have words of his sent to it.
type wording struct {
	confirmSubject, confirm string
	knownSubject, known     string
}

// subject is in the reader's language.
func (w wording) subject(kind string) string {
	if kind == letterKnown {
		return w.knownSubject
	}
	return w.confirmSubject
}

func (w wording) text(kind, site, onward, leave string) string {
	form := w.confirm
	if kind == letterKnown {
		form = w.known
	}
	return fmt.Sprintf(form, site, onward, leave)
}

// letter is a letter in a language. Below one that is not in English stands the same
// in English: whoever writes an address into the page chooses the language as well,
// and a stranger must be able to read how to be left alone.
func letter(lang, kind, site, onward, leave string) (subject, text string) {
	lang = cmp.Or(lang, "en")
	w, ok := wordings[lang]
	if !ok {
		lang, w = "en", wordings["en"]
	}
	text = w.text(kind, site, onward, leave)
	if lang != "en" {
		text += "\nIn English:\n\n" + wordings["en"].text(kind, site, onward, leave)
	}
	return w.subject(kind), text
}

// wordings are by language tag: those of notify.Languages.
var wordings = map[string]wording{
	"en": {
		confirmSubject: "Please confirm that you want newswatch digests",
		confirm: `Somebody, we hope you, asked that digests of news be sent to this address by
newswatch at
%[1]s

If it was you, open this and press the button. It works for 48 hours:
%[2]s

If it was not you, do nothing: nothing more is sent, and this address is
forgotten after 48 hours. To have it forgotten now, and never be written to
again:
%[3]s
`,
		knownSubject: "You are subscribed to newswatch already",
		known: `Somebody, we hope you, asked that digests of news be sent to this address by
newswatch at
%[1]s

They are already. Nothing was changed by the request. To see and change what
you are sent, and when; it works for 48 hours:
%[2]s

To leave:
%[3]s
`,
	},
	"ml": {
		confirmSubject: "newswatch ഡൈജസ്റ്റുകൾ വേണമെന്ന് ദയവായി സ്ഥിരീകരിക്കുക",
		confirm: `വാർത്തകളുടെ ഡൈജസ്റ്റുകൾ ഈ വിലാസത്തിലേക്ക് അയയ്ക്കാൻ ആരോ, നിങ്ങൾ തന്നെയെന്നു
കരുതുന്നു, newswatch-നോട് ആവശ്യപ്പെട്ടു:
%[1]s

അത് നിങ്ങളാണെങ്കിൽ ഈ ലിങ്ക് തുറന്ന് ബട്ടൺ അമർത്തുക. ഇത് 48 മണിക്കൂർ പ്രവർത്തിക്കും:
%[2]s

നിങ്ങളല്ലെങ്കിൽ ഒന്നും ചെയ്യേണ്ടതില്ല: ഇനി ഒന്നും അയയ്ക്കില്ല, 48 മണിക്കൂർ കഴിഞ്ഞാൽ
ഈ വിലാസം മായ്ച്ചുകളയും. ഇപ്പോൾത്തന്നെ മായ്ക്കാനും ഇനി ഒരിക്കലും കത്തുകൾ
ലഭിക്കാതിരിക്കാനും:
%[3]s
`,
		knownSubject: "നിങ്ങൾക്ക് newswatch ഡൈജസ്റ്റുകൾ ഇപ്പോൾത്തന്നെ അയയ്ക്കുന്നുണ്ട്",
		known: `വാർത്തകളുടെ ഡൈജസ്റ്റുകൾ ഈ വിലാസത്തിലേക്ക് അയയ്ക്കാൻ ആരോ, നിങ്ങൾ തന്നെയെന്നു
കരുതുന്നു, newswatch-നോട് ആവശ്യപ്പെട്ടു:
%[1]s

അവ ഇപ്പോൾത്തന്നെ അയയ്ക്കുന്നുണ്ട്. ഈ അപേക്ഷ ഒന്നും മാറ്റിയിട്ടില്ല. എന്ത്, എപ്പോൾ
അയയ്ക്കുന്നു എന്ന് കാണാനും മാറ്റാനും; ഇത് 48 മണിക്കൂർ പ്രവർത്തിക്കും:
%[2]s

ഒഴിവാകാൻ:
%[3]s
`,
	},
	"hi": {
		confirmSubject: "कृपया पुष्टि करें कि आपको newswatch के डाइजेस्ट चाहिए",
		confirm: `किसी ने, शायद आपने ही, newswatch से कहा है कि ख़बरों के डाइजेस्ट इस पते पर
भेजे जाएँ:
%[1]s

अगर यह आपने कहा था, तो यह लिंक खोलें और बटन दबाएँ। यह 48 घंटे तक काम करेगा:
%[2]s

अगर आपने नहीं कहा था, तो कुछ न करें: और कुछ नहीं भेजा जाएगा, और 48 घंटे बाद यह
पता मिटा दिया जाएगा। इसे अभी मिटाने के लिए, और आगे कभी कोई पत्र न पाने के लिए:
%[3]s
`,
		knownSubject: "आपको newswatch के डाइजेस्ट पहले से भेजे जा रहे हैं",
		known: `किसी ने, शायद आपने ही, newswatch से कहा है कि ख़बरों के डाइजेस्ट इस पते पर
भेजे जाएँ:
%[1]s

वे पहले से भेजे जा रहे हैं। इस अनुरोध से कुछ नहीं बदला। आपको क्या और कब भेजा जाए, यह
देखने और बदलने के लिए; यह 48 घंटे तक काम करेगा:
%[2]s

सदस्यता छोड़ने के लिए:
%[3]s
`,
	},
}
