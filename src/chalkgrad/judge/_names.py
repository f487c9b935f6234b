"""The names that others give to what an optimizer is given and keeps."""

from collections.abc import Iterable

__all__ = [
    "ARGUMENTS",
    "LOOPS",
    "METHODS",
    "SLOTS",
    "find_options",
    "find_role",
    "normalize",
    "words",
]


def normalize(name: str) -> str:
    """Return a name as it is looked up: without case and underscores."""
    return name.replace("_", "").lower()


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


ARGUMENTS = {
    "w": words(
        "w params parameters param parameter p theta thetas x weights weight variables "
        "variable vars var position wt wk xt xk thetat values value coef coefs point "
        "modelparams model wold currentparams layer trainablevariables trainableparams"
    ),
    "g": words(
        "g grad grads gradient gradients dw dtheta dparams dp dx dparam gradw "
        "gradwrtw gradwrtparams df gt gk paramgrad paramgrads derivative derivatives "
        "deltas dws gradtheta updates dl dldw gw nabla gradt slopes slope"
    ),
    "pairs": words("gradsandvars gradsandparams gradientsandvariables"),
    "t": words(
        "t step k i it iter iters iteration iterations timestep time count steps "
        "nstep nsteps stepnumber epoch n niter globalstep iternum stepcount"
    ),
    "state": words("state states optstate memory optimizerstate st"),
    "config": words("config cfg hyper hyperparams conf"),
    "shape": words("shape size dim dims nparams numparams nweights inputshape ndim"),
    "name": words("name key paramname layername id"),
    "loss": words("curloss loss closure"),
}

# What a function keeps from step to step, where it has a default for the first.
SLOTS = words(
    "m v s h u r c q b m1 m2 mt vt st ht mprev vprev mom1 mom2 moment1 moment2 "
    "firstmoment secondmoment mean var vel velocity velocities cache caches memory "
    "acc accumulator sumsq sqsum gsq g2 sumofsquares buf buffer expavg expavgsq "
    "meansquare ms avg avgsq eg2 edx2 vmax vhat vhatmax prevgrad gprev deltaprev"
)
# What a function is given that goes the whole walk: how many steps, and from where.
LOOPS = {
    "gradient": ARGUMENTS["g"]
    | words(
        "gradfn gradf gradfun gradfunc gradfunction fgrad gradientfn gradientf fprime "
        "gradientfunc gradientfunction lossgrad gradloss dloss jac jacobian dfdx dfdw "
        "nablaf df computegrad getgrad evaluategradient gradlossfn lossgradfn"
    ),
    "start": ARGUMENTS["w"]
    | words(
        "x0 w0 theta0 params0 init initial initw initparams initialparams initialw "
        "start initialpoint startpoint xinit winit thetainit xstart x1 guess"
    ),
    "count": words(
        "t steps nsteps numsteps niter niters numiter numiters maxiter maxiters "
        "iterations niterations numiterations maxiterations epochs nepochs numepochs "
        "maxepochs iters n maxsteps totalsteps"
    ),
    "objective": words("f fn func fun function loss lossfn objective cost costfn"),
}

# Longer ones first where one could be taken for another: of RMSprop, α is the decay.
OPTIONS = {
    "lr": (
        "lr learningrate eta stepsize learningrateinit lrate rate learnrate gamma0 "
        "baselr lr0 eta0 initiallr alpha a lrmax maxlr peaklr etamax lrinit initlr "
        "startlr lrstart initiallearningrate peak top peaklearningrate initialrate "
        "base maxlearningrate lri etaini start initial highest max "
        "baselearningrate r0"
    ),
    "beta1": "beta1 b1 beta1decay decay1 rho1 mu beta",
    "beta2": "beta2 b2 beta2decay decay2 rho2 rho nu gamma",
    "eps": "eps epsilon e tiny smallconst fudge fudgefactor smoothing delta numericeps",
    "momentum": "momentum mu momentumfactor beta gamma rho beta1 alpha mom",
    "decay": "decay rho decayrate alpha beta gamma beta2 b2 forget smoothing discount",
    "weight_decay": (
        "lambd weightdecay wd l2 weightdecayrate lambda lam decay l2reg reg "
        "regularization penalty l2penalty"
    ),
    "amsgrad": "amsgrad useamsgrad",
    "nesterov": "nesterov usenesterov isnesterov",
    "centered": "centered centred iscentered",
    "dampening": "dampening damping tau",
    "shrink": "shrink etaminus etaneg decrease etam",
    "grow": "grow etaplus etapos increase etap",
    "smallest": "smallest deltamin stepmin minstep minstepsize",
    "largest": "largest deltamax stepmax maxstep maxstepsize",
    "power": "power alpha p exponent degree",
    "delay": "delay t0",
    "hyper_lr": "hyperlr hyperlearningrate beta",
    # Of the perceptron.
    "epochs": (
        "epochs niter nepochs maxiter maxepochs niters iterations numepochs n numiter "
        "numiterations maxiterations niterations passes"
    ),
    # Of losses and activations.
    "delta": "delta threshold beta d cutoff k",
    "slope": "slope negativeslope alpha leak leakiness a neg negslope leakage",
    # Of schedules.
    "steps": (
        "steps totalsteps tmax maxsteps numsteps total maxiter totaliters maxiters "
        "epochs totalepochs maxepochs numepochs nepochs nsteps warmupsteps warmup "
        "horizon period n decaysteps duration length maxt bigt totalt stepmax "
        "numtrainingsteps "
        "warmupepochs totaliterations maxiterations iterations niters k"
    ),
    "every": (
        "every stepsize dropevery epochsdrop interval period k decaysteps stride n "
        "decayevery decayinterval stepevery size steplength stepepochs bigt"
    ),
    "factor": (
        "factor gamma drop decay decayrate droprate rate dropfactor multiplier f q "
        "ratio alpha decayfactor"
    ),
    "rate": "rate decay k gamma decayrate lam lambda r d alpha decayconstant lambd",
    "floor": (
        "floor lrmin minlr etamin lrend endlr minimum min finallr lrfinal mineta "
        "lowest endlearningrate minlearningrate lower minrate end final bottom"
    ),
    "period": "period t0 ti cyclelength cyclesteps tmax steps cycle firstperiod bigt",
    "multiplier": "multiplier tmult mult factor growth tmul m cyclemult",
    "warmup_steps": (
        "warmupsteps climb warmup nwarmup rampup warmupepochs k numwarmupsteps up "
        "stepsizeup stepsize halfcycle"
    ),
    "decay_steps": "decaysteps decay cooldownsteps cooldown fall ndecay d",
    "steps_up": (
        "stepsup climb stepsizeup up rampup stepsize halfcycle k warmupsteps warmup"
    ),
    "steps_down": "stepsdown fall stepsizedown down",
    "end_factor": "endfactor end final lrend finalfactor",
    "start_factor": "startfactor start initialfactor begin",
    "pct_start": "pctstart up pct warmupfraction warmuppct fraction peakat",
}
PAIRS = {
    "betas": ("beta1", "beta2"),
    "etas": ("shrink", "grow"),
    "stepsizes": ("smallest", "largest"),
}
METHODS = (
    "step",
    "update",
    "apply",
    "apply_gradients",
    "update_params",
    "update_parameters",
    "update_weights",
    "apply_grads",
    "apply_update",
    "optimize",
    "minimize",
    "train_step",
    "do_step",
    "get_update",
    "get_updates",
    "compute_update",
    "compute_step",
    "get_step",
    "delta",
    "next",
    "__call__",
)


def find_role(name: str) -> str:
    """Return what an argument is by its name, or nothing."""
    word = normalize(name)
    return next((role for role, known in ARGUMENTS.items() if word in known), "")


def find_options(
    given: Iterable[str], ours: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Return for each argument that is an option of ours which it is, or which two."""
    left = {normalize(name): name for name in given}
    wanted = list(ours)
    found: dict[str, tuple[str, ...]] = {}
    for word, pair in PAIRS.items():
        if word in left and set(pair) & set(wanted):
            found[left.pop(word)] = pair
            wanted = [name for name in wanted if name not in pair]
    aliases = {name: OPTIONS.get(name, normalize(name)).split() for name in wanted}
    for rank in range(max(map(len, aliases.values()), default=0)):
        for name in list(aliases):
            known = aliases[name]
            if rank < len(known) and known[rank] in left:
                found[left.pop(known[rank])] = (name,)
                del aliases[name]
    return found
