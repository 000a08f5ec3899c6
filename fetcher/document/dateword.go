package document

import "strings"

// months are the words that mean a month, in lower case, by the languages that
// feeds write dates in. In alphabetic scripts the first three letters stand for
// the whole word; Indic names are spelled out.
var months = wordsOf([12]string{
	"jan ene gen sty янв janv ιαν ജനുവരി जनवरी ஜனவரி జనవరి ಜನವರಿ জানুয়ারি " +
		"جنوری يناير જાન્યુઆરી ਜਨਵਰੀ ଜାନୁଆରୀ जानेवारी oca มกราคม",
	"feb fev fév lut фев févr φεβ ഫെബ്രുവരി फरवरी फ़रवरी பிப்ரவரி ఫిబ్రవరి ಫೆಬ್ರವರಿ ফেব্রুয়ারি " +
		"فروری فبراير ફેબ્રુઆરી ਫ਼ਰਵਰੀ ਫਰਵਰੀ ଫେବୃଆରୀ ଫେବୃୟାରୀ फेब्रुवारी şub กุมภาพันธ์",
	"mar mär mrt мар μαρ മാർച്ച് മാര്‍ച്ച് मार्च மார்ச் మార్చి ಮಾರ್ಚ್ মার্চ " +
		"مارچ مارس માર્ચ ਮਾਰਚ ମାର୍ଚ୍ଚ มีนาคม",
	"apr avr abr kwi апр απρ ഏപ്രിൽ ഏപ്രില്‍ अप्रैल ஏப்ரல் ఏప్రిల్ ಏಪ್ರಿಲ್ এপ্রিল " +
		"اپریل أبريل ابريل એપ્રિલ ਅਪ੍ਰੈਲ ଅପ୍ରେଲ ଏପ୍ରିଲ एप्रिल nis เมษายน",
	"may mai mag mei maj май мая μαϊ മെയ് മേയ് मई மே మే ಮೇ মে " +
		"مئی مايو મે ਮਈ ମଇ ମେ मे พฤษภาคม",
	"jun juin giu cze июн ιουν ജൂൺ ജൂണ്‍ जून ஜூன் జూన్ ಜೂನ್ জুন " +
		"جون يونيو જૂન ਜੂਨ ଜୁନ haz มิถุนายน",
	"jul juil lug lip июл ιουλ ജൂലൈ जुलाई ஜூலை జూలై ಜುಲೈ জুলাই " +
		"جولائی يوليو જુલાઈ ਜੁਲਾਈ ଜୁଲାଇ जुलै tem กรกฎาคม",
	"aug ago aoû août sie авг αυγ ഓഗസ്റ്റ് ആഗസ്റ്റ് अगस्त ஆகஸ்ட் ఆగస్టు ಆಗಸ್ಟ್ আগস্ট " +
		"اگست أغسطس اغسطس ઓગસ્ટ ઑગસ્ટ ਅਗਸਤ ଅଗଷ୍ଟ ଅଗଷ୍ଟ ऑगस्ट ağu สิงหาคม",
	"sep set wrz сен σεπ സെപ്റ്റംബർ സെപ്റ്റംബര്‍ सितंबर सितम्बर செப்டம்பர் సెప్టెంబర్ ಸೆಪ್ಟೆಂಬರ್ সেপ্টেম্বর " +
		"ستمبر سبتمبر સપ્ટેમ્બર ਸਤੰਬਰ ସେପ୍ଟେମ୍ବର सप्टेंबर eyl กันยายน",
	"oct okt ott out paź окт οκτ ഒക്ടോബർ ഒക്ടോബര്‍ अक्टूबर अक्तूबर அக்டோபர் అక్టోబర్ ಅಕ್ಟೋಬರ್ অক্টোবর " +
		"اکتوبر أكتوبر اكتوبر ઓક્ટોબર ઑક્ટોબર ਅਕਤੂਬਰ ଅକ୍ଟୋବର ऑक्टोबर eki ตุลาคม",
	"nov lis ноя νοε നവംബർ നവംബര്‍ नवंबर नवम्बर நவம்பர் నవంబర్ ನವೆಂಬರ್ নভেম্বর " +
		"نومبر نوفمبر નવેમ્બર ਨਵੰਬਰ ନଭେମ୍ବର नोव्हेंबर kas พฤศจิกายน",
	"dec dez dic dét déc gru дек δεκ ഡിസംബർ ഡിസംബര്‍ दिसंबर दिसम्बर டிசம்பர் డిసెంబర్ ಡಿಸೆಂಬರ್ ডিসেম্বর " +
		"دسمبر ديسمبر ડિસેમ્બર ਦਸੰਬਰ ଡିସେମ୍ବର डिसेंबर ara ธันวาคม",
})

func wordsOf(lists [12]string) map[string]int {
	m := make(map[string]int)
	for i, list := range lists {
		for _, w := range strings.Fields(list) {
			m[w] = i + 1
		}
	}
	return m
}

// zones are the zone names that feeds use, in seconds east of UTC. Go knows no
// zone by its abbreviation but UTC and the host's own, and reads every other as
// UTC: five and a half hours wrong for an Indian feed. Where a name has several
// meanings, IST is India's, CST and EST are North America's and BST Britain's.
// What is not listed is read as UTC (RFC 2822 §4.3).
var zones = map[string]int{
	"z": 0, "ut": 0, "utc": 0, "gmt": 0, "wet": 0,
	"est": hm(-5, 0), "edt": hm(-4, 0), "cst": hm(-6, 0), "cdt": hm(-5, 0),
	"mst": hm(-7, 0), "mdt": hm(-6, 0), "pst": hm(-8, 0), "pdt": hm(-7, 0),
	"et": hm(-5, 0), "ct": hm(-6, 0), "mt": hm(-7, 0), "pt": hm(-8, 0),
	"akst": hm(-9, 0), "akdt": hm(-8, 0), "hst": hm(-10, 0),
	"ast": hm(-4, 0), "adt": hm(-3, 0), "nst": hm(-3, 30), "ndt": hm(-2, 30),
	"brt": hm(-3, 0), "art": hm(-3, 0), "clt": hm(-4, 0), "cot": hm(-5, 0),
	"bst": hm(1, 0), "west": hm(1, 0), "cet": hm(1, 0), "met": hm(1, 0), "wat": hm(1, 0),
	"cest": hm(2, 0), "mest": hm(2, 0), "mesz": hm(2, 0), "mez": hm(1, 0),
	"eet": hm(2, 0), "cat": hm(2, 0), "sast": hm(2, 0),
	"eest": hm(3, 0), "msk": hm(3, 0), "eat": hm(3, 0), "trt": hm(3, 0), "msd": hm(4, 0),
	"irst": hm(3, 30), "gst": hm(4, 0), "aft": hm(4, 30), "pkt": hm(5, 0),
	"ist": hm(5, 30), "slst": hm(5, 30), "npt": hm(5, 45), "bdt": hm(6, 0), "mmt": hm(6, 30),
	"ict": hm(7, 0), "wib": hm(7, 0), "sgt": hm(8, 0), "hkt": hm(8, 0), "myt": hm(8, 0),
	"pht": hm(8, 0), "awst": hm(8, 0), "jst": hm(9, 0), "kst": hm(9, 0),
	"acst": hm(9, 30), "acdt": hm(10, 30), "aest": hm(10, 0), "aedt": hm(11, 0),
	"nzst": hm(12, 0), "nzdt": hm(13, 0),
}

// hm is an offset; a negative hour makes the minutes negative too.
func hm(hours, minutes int) int {
	if hours < 0 {
		minutes = -minutes
	}
	return hours*3600 + minutes*60
}

// zeros are the first of the ten digits of each script that dates are written in.
var zeros = [...]rune{'٠', '۰', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦', '๐', '０'}

// asciiDigits writes a date's digits as ASCII has them.
func asciiDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < zeros[0] {
			return r
		}
		for _, zero := range zeros {
			if r >= zero && r <= zero+9 {
				return '0' + r - zero
			}
		}
		return r
	}, s)
}
