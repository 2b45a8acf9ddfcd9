#include "sesame/text/report/sample_languages.h"

#include <array>

namespace sesame {
namespace {

// Universal Declaration of Human Rights (United Nations, 1948), article 1, in the translations of the UN's human rights
// office as collected by the Unicode Consortium.
constexpr std::array kSamples = {
    LanguageSample{"English",
                   "All human beings are born free and equal in dignity and rights. They are endowed with reason and "
                   "conscience and should act towards one another in a spirit of brotherhood."},
    LanguageSample{"German",
                   "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft und "
                   "Gewissen begabt und sollen einander im Geist der Brüderlichkeit begegnen."},
    LanguageSample{"French",
                   "Tous les êtres humains naissent libres et égaux en dignité et en droits. Ils sont doués de raison "
                   "et de conscience et doivent agir les uns envers les autres dans un esprit de fraternité."},
    LanguageSample{"Spanish",
                   "Todos los seres humanos nacen libres e iguales en dignidad y derechos y, dotados como están de "
                   "razón y conciencia, deben comportarse fraternalmente los unos con los otros."},
    LanguageSample{"Portuguese",
                   "Todos os seres humanos nascem livres e iguais em dignidade e em direitos. Dotados de razão e de "
                   "consciência, devem agir uns para com os outros em espírito de fraternidade."},
    LanguageSample{"Italian",
                   "Tutti gli esseri umani nascono liberi ed eguali in dignità e diritti. Essi sono dotati di ragione "
                   "e di coscienza e devono agire gli uni verso gli altri in spirito di fratellanza."},
    LanguageSample{"Polish",
                   "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni "
                   "rozumem i sumieniem i powinni postępować wobec innych w duchu braterstwa."},
    LanguageSample{"Czech",
                   "Všichni lidé rodí se svobodní a sobě rovní co do důstojnosti a práv. Jsou nadáni rozumem a "
                   "svědomím a mají spolu jednat v duchu bratrství."},
    LanguageSample{"Turkish",
                   "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar. Akıl ve vicdana sahiptirler ve "
                   "birbirlerine karşı kardeşlik zihniyeti ile hareket etmelidirler."},
    LanguageSample{"Vietnamese",
                   "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền. Mọi con người đều được "
                   "tạo hoá ban cho lý trí và lương tâm và cần phải đối xử với nhau trong tình bằng hữu."},
    LanguageSample{"Finnish",
                   "Kaikki ihmiset syntyvät vapaina ja tasavertaisina arvoltaan ja oikeuksiltaan. Heille on annettu "
                   "järki ja omatunto, ja heidän on toimittava toisiaan kohtaan veljeyden hengessä."},
    LanguageSample{"Indonesian",
                   "Semua orang dilahirkan merdeka dan mempunyai martabat dan hak-hak yang sama. Mereka dikaruniai "
                   "akal dan hati nurani dan hendaknya bergaul satu sama lain dalam semangat persaudaraan."},
    LanguageSample{"Swahili",
                   "Watu wote wamezaliwa huru, hadhi na haki zao ni sawa. Wote wamejaliwa akili na dhamiri, hivyo "
                   "yapasa watendeane kindugu."},
    LanguageSample{"Russian",
                   "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и "
                   "совестью и должны поступать в отношении друг друга в духе братства."},
    LanguageSample{
        "Greek",
        "'Ολοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. Είναι προικισμένοι με "
        "λογική και συνείδηση, και οφείλουν να συμπεριφέρονται μεταξύ τους με πνεύμα αδελφοσύνης."},
    LanguageSample{"Arabic",
                   "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق. وقد وهبوا عقلاً وضميرًا وعليهم أن يعامل بعضهم "
                   "بعضًا بروح الإخاء."},
    LanguageSample{"Hebrew",
                   "כל בני אדם נולדו בני חורין ושווים בערכם ובזכויותיהם. כולם חוננו בתבונה ובמצפון, לפיכך חובה עליהם "
                   "לנהוג איש ברעהו ברוח של אחוה."},
    LanguageSample{"Hindi",
                   "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है । उन्हें बुद्घि और अन्तरात्मा की "
                   "देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए ।"},
    LanguageSample{"Bengali",
                   "সমস্ত মানুষ স্বাধীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে। তাঁদের বিবেক এবং বুদ্ধি আছে ; সুতরাং "
                   "সকলেরই একে অপরের প্রতি ভ্রাতৃত্বসুলভ মনোভাব নিয়ে আচরণ করা "
                   "উচিত্‍।"},
    LanguageSample{
        "Thai",
        "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม และควรปฏิบัติต่อกันด้วยเจตนารมณ์แห่งภราดรภาพ"},
    LanguageSample{"Korean",
                   "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 "
                   "양심을 부여받았으며 서로 형제애의 정신으로 행동하여야 한다."},
    LanguageSample{"Japanese",
                   "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、理性と"
                   "良心とを授けられており、互いに同胞の精神をもって行動しなければならない。"},
    LanguageSample{"Chinese", "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。"},
};

}  // namespace

std::span<const LanguageSample> sample_languages() { return kSamples; }

}  // namespace sesame
